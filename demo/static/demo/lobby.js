// Shows what has changed on the platform, without a reload: asks for this page again, and takes its live parts.
"use strict";

const EVERY_MS = 2000;

function take(fresh) {
    for (const part of document.querySelectorAll("[data-live]")) {
        const news = fresh.getElementById(part.id);
        // Whoever stands on a link in it with the keyboard must not be moved away.
        if (news && news.innerHTML !== part.innerHTML && !part.contains(document.activeElement)) {
            part.replaceChildren(...news.childNodes);
        }
    }
}

async function look() {
    if (document.visibilityState === "visible") {
        try {
            const answer = await fetch(location.pathname + location.search, { headers: { Accept: "text/html" } });
            if (answer.ok) {
                take(new DOMParser().parseFromString(await answer.text(), "text/html"));
            }
        } catch {
            // The platform is starting again: the next look finds it.
        }
    }
    setTimeout(look, EVERY_MS);
}

setTimeout(look, EVERY_MS);
