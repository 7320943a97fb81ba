// Pages are written in UTC, as logs are. Here times are shown in the zone of whoever reads them, and in UTC if
// pointed at; a switch in the user's menu keeps UTC. What others sent, and fields of forms, stay as they are.
const ZONE_KEY = "times";
const OWN_ZONE = Intl.DateTimeFormat().resolvedOptions().timeZone;
const WRITTEN = /\b(\d{4}-\d\d-\d\d) (\d\d:\d\d(?::\d\d)?) UTC\b/g;
const LEFT_ALONE = "code, input, option, pre, script, style, textarea, time, .wallet-body, .wallet-raw";

function ownParts(moment, hasSeconds) {
    const parts = new Intl.DateTimeFormat("en-GB", {
        year: "numeric", month: "2-digit", day: "2-digit", hour: "2-digit", minute: "2-digit",
        second: hasSeconds ? "2-digit" : undefined, timeZoneName: "short",
    }).formatToParts(moment);
    return Object.fromEntries(parts.map(({ type, value }) => [type, value]));
}

function inOwnZone(moment, hasSeconds) {
    const part = ownParts(moment, hasSeconds);
    const seconds = hasSeconds ? `:${part.second}` : "";
    return `${part.year}-${part.month}-${part.day} ${part.hour}:${part.minute}${seconds}`;
}

function zoneName(moment) {
    return ownParts(moment, false).timeZoneName;
}

function timeElement([written, date, time]) {
    const moment = new Date(`${date}T${time}Z`);
    if (Number.isNaN(moment.getTime())) {
        return written;
    }
    const element = document.createElement("time");
    element.dateTime = moment.toISOString();
    element.title = written;
    element.textContent = `${inOwnZone(moment, time.length > 5)} ${zoneName(moment)}`;
    return element;
}

function translate(text) {
    const pieces = [];
    let end = 0;
    for (const found of text.data.matchAll(WRITTEN)) {
        pieces.push(text.data.slice(end, found.index), timeElement(found));
        end = found.index + found[0].length;
    }
    if (pieces.length) {
        text.replaceWith(...pieces, text.data.slice(end));
    }
}

function translateAll(root) {
    const walker = document.createTreeWalker(root, NodeFilter.SHOW_TEXT);
    const texts = [];
    while (walker.nextNode()) {
        if (walker.currentNode.data.includes(" UTC") && !walker.currentNode.parentElement.closest(LEFT_ALONE)) {
            texts.push(walker.currentNode);
        }
    }
    texts.forEach(translate);
}

// A column of times, whose heading says once that they are UTC.
function translateClock(element) {
    const moment = new Date(element.dateTime);
    element.title = `${element.textContent} UTC`;
    element.textContent = inOwnZone(moment, true);
    const cell = element.closest("td, th");
    const heading = cell ? headingOf(cell) : element.closest(".field-line")?.querySelector("label");
    for (const text of heading?.childNodes ?? []) {
        retitle(text);
    }
    if (cell?.dataset.label) {
        cell.dataset.label = cell.dataset.label.replace("(UTC)", ownTime());
    }
}

// What a heading says in place of UTC, in the language of the page.
function ownTime() {
    return document.getElementById("zone-switch")?.dataset.ownTime || "(your time)";
}

function headingOf(cell) {
    const table = cell.closest("table");
    return table.tHead?.rows[0]?.cells[cell.cellIndex];
}

function retitle(node) {
    if (node.nodeType === Node.TEXT_NODE) {
        node.data = node.data.replace("(UTC)", ownTime());
    } else {
        node.childNodes.forEach(retitle);
    }
}

function offerSwitch(chosen) {
    const group = document.getElementById("zone-switch");
    if (!group) {
        return;
    }
    group.hidden = false;
    for (const button of group.querySelectorAll("button")) {
        if (button.dataset.zone === "own") {
            button.textContent = OWN_ZONE.replaceAll("_", " ");
        }
        const isChosen = button.dataset.zone === chosen;
        button.setAttribute("aria-pressed", isChosen);
        button.classList.toggle("text-link", isChosen);
        button.addEventListener("click", () => {
            localStorage.setItem(ZONE_KEY, button.dataset.zone);
            location.reload();
        });
    }
}

document.addEventListener("DOMContentLoaded", () => {
    if (new Date().getTimezoneOffset() === 0 && ["UTC", "Etc/UTC", "Etc/UCT", "GMT", "Etc/GMT"].includes(OWN_ZONE)) {
        return;
    }
    const chosen = localStorage.getItem(ZONE_KEY) === "UTC" ? "UTC" : "own";
    offerSwitch(chosen);
    if (chosen === "own") {
        translateAll(document.body);
        document.querySelectorAll("time.wallet-time").forEach(translateClock);
    }
});
