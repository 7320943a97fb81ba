// Sends a file in parts, each as one request, and shows how far it and then its comparison have come.
const POLL = 1000;
const TRIES = 5;

function show(box, percent, words) {
    box.hidden = false;
    box.querySelector("progress").value = percent;
    box.querySelector("span").textContent = words;
}

function pause(milliseconds) {
    return new Promise((resolve) => setTimeout(resolve, milliseconds));
}

class Problem extends Error {}

async function send(address, token, body, type) {
    const headers = { "X-CSRFToken": token, "Content-Type": type };
    const answer = await fetch(address, { method: "POST", headers, body, credentials: "same-origin" });
    if (!answer.ok || !(answer.headers.get("Content-Type") || "").includes("json")) {
        throw new Error(`status ${answer.status}`);
    }
    const told = await answer.json();
    if (told.problem) {
        throw new Problem(told.problem);
    }
    return told;
}

// The same part again is taken once, so whatever was lost is sent again.
async function sendSurely(address, token, body, type) {
    for (let attempt = 1; ; attempt += 1) {
        try {
            return await send(address, token, body, type);
        } catch (problem) {
            if (problem instanceof Problem || attempt === TRIES) {
                throw problem;
            }
            await pause(attempt * POLL);
        }
    }
}

async function upload(form) {
    const token = form.elements.csrfmiddlewaretoken.value;
    const file = form.elements.file.files[0];
    const wanted = {
        source: form.elements.source.value, name: file.name, size: file.size,
        from: form.elements.from.value, until: form.elements.until.value,
    };
    const begun = await send(location.href, token, JSON.stringify(wanted), "application/json");
    const box = form.querySelector(".wallet-progress");
    for (let at = 0, number = 1; at < file.size; at += begun.partSize, number += 1) {
        const part = file.slice(at, at + begun.partSize);
        await sendSurely(`${begun.place}part/?number=${number}`, token, part, "application/octet-stream");
        const percent = Math.floor(Math.min(at + begun.partSize, file.size) * 100 / file.size);
        show(box, percent, `${percent} % ${form.dataset.sent}`);
    }
    return sendSurely(`${begun.place}end/`, token, "{}", "application/json");
}

async function onSubmit(event) {
    event.preventDefault();
    const form = event.target;
    const problem = form.querySelector(".wallet-upload-problem");
    const button = form.querySelector("button[type=submit]");
    problem.hidden = true;
    button.disabled = true;
    try {
        location.assign((await upload(form)).place);
    } catch (failure) {
        problem.textContent = failure instanceof Problem ? failure.message : form.dataset.failed;
        problem.hidden = false;
        button.disabled = false;
    }
}

async function follow(box) {
    for (;;) {
        await pause(POLL);
        try {
            const answer = await fetch(box.dataset.progress, { credentials: "same-origin" });
            const found = await answer.json();
            if (found.isOver) {
                location.reload();
                return;
            }
            show(box, found.percent, found.words);
        } catch {
            // A server that is restarted is asked again.
            await pause(POLL * 4);
        }
    }
}

// The theme's script would look for a text field beside it, to show the name there.
document.querySelectorAll("#upload input[type=file]").forEach((input) => { input.hasChangeListener = true; });

document.addEventListener("DOMContentLoaded", () => {
    document.getElementById("upload")?.addEventListener("submit", onSubmit);
    document.querySelectorAll("[data-progress]").forEach(follow);
});
