// Sends what is pressed without leaving the page, and shows what changes: the balance, the goods, the wire.
"use strict";

const visit = document.body.dataset.visit;
const wire = document.getElementById("wire");
const message = document.getElementById("message");
const unsettled = document.getElementById("unsettled");
const MOST_SHOWN = 80;
const shown = {};
let last = 0;
let lastStory = "";
let timer = 0;
let looking = null;
let fading = 0;

function say(text, isDone) {
  clearTimeout(fading);
  message.textContent = text;
  message.classList.toggle("problem", !isDone);
  message.classList.add("told");
  fading = setTimeout(() => message.classList.remove("told"), 6000);
}

function putPart(id, html) {
  if (shown[id] === html) return;
  const first = !(id in shown);
  const grows = !first && html.length > shown[id].length;
  shown[id] = html;
  const element = document.getElementById(id);
  const held = element.contains(document.activeElement) ? document.activeElement.id : "";
  if (!first || element.innerHTML !== html) element.innerHTML = html;
  if (held) document.getElementById(held)?.focus();
  if (id === "pending") {
    unsettled.classList.toggle("some", html !== "");
    if (grows) unsettled.scrollIntoView({ block: "nearest", behavior: "smooth" });
  }
  if (id === "balance" && !first) {
    element.classList.remove("changed");
    void element.offsetWidth;
    element.classList.add("changed");
  }
}

function putExchange(one) {
  if (one.number <= last) return;
  last = one.number;
  const item = document.createElement("article");
  if (one.story !== lastStory) {
    const title = document.createElement("h3");
    title.textContent = one.story;
    item.append(title);
    lastStory = one.story;
  }
  item.insertAdjacentHTML("beforeend", one.html);
  wire.append(item);
  while (wire.children.length > MOST_SHOWN) wire.firstElementChild.remove();
}

async function look() {
  clearTimeout(timer);
  looking ??= lookOnce().finally(() => { looking = null; });
  await looking;
  clearTimeout(timer);
  timer = setTimeout(look, document.hidden ? 4000 : 900);
}

async function lookOnce() {
  try {
    const answer = await fetch(`/visits/${visit}/live?after=${last}`, { headers: { Accept: "application/json" } });
    if (!answer.ok) return;
    const news = await answer.json();
    const isAtEnd = wire.scrollHeight - wire.scrollTop - wire.clientHeight < 80;
    for (const [id, html] of Object.entries(news.parts)) putPart(id, html);
    news.wire.forEach(putExchange);
    if (news.wire.length && isAtEnd) wire.scrollTop = wire.scrollHeight;
  } catch {
    // The game is being started again: the next look finds it.
  }
}

async function act(form, name, value) {
  const body = new URLSearchParams(new FormData(form));
  if (name) body.set(name, value);
  const answer = await fetch(form.action, { method: "POST", body, headers: { Accept: "application/json" } });
  const { done, message: text } = await answer.json();
  if (text) say(text, done);
}

document.addEventListener("submit", async (event) => {
  const form = event.target;
  if (form.target) {
    setTimeout(look, 300);
    return;
  }
  event.preventDefault();
  const button = event.submitter;
  if (button.getAttribute("aria-disabled")) return;
  button.setAttribute("aria-disabled", "true");
  if (button.classList.contains("star")) button.classList.add("falling");
  const watching = setInterval(look, 250);
  try {
    await act(form, button.name, button.value);
  } catch {
    say("The game does not answer. Try again in a moment.", false);
  } finally {
    clearInterval(watching);
    button.removeAttribute("aria-disabled");
    setTimeout(() => button.classList.remove("falling"), 900);
    await look();
  }
});

document.addEventListener("change", async (event) => {
  const name = event.target.dataset.act;
  if (name) await act(event.target.form, "act", name);
});

document.addEventListener("visibilitychange", () => { if (!document.hidden) look(); });
look();
