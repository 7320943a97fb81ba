// Makes or shows a passkey when a button with `data-passkey` is pressed (django-otp-webauthn's ceremonies).
(() => {
    // Where it says why it came to nothing; the texts are in the language of the page.
    const says = () => document.getElementById("passkey-problem");

    const send = async (form, address, content) => {
        const token = form.querySelector("input[name=csrfmiddlewaretoken]").value;
        const answer = await fetch(address, {
            method: "POST",
            headers: { "Content-Type": "application/json", "X-CSRFToken": token },
            body: JSON.stringify(content),
        });
        const told = answer.headers.get("Content-Type")?.startsWith("application/json") ? await answer.json() : {};
        if (!answer.ok) throw new Error(told.detail || says().dataset.refused);
        return told;
    };

    const ceremonies = {
        register: async (options) =>
            navigator.credentials.create({ publicKey: PublicKeyCredential.parseCreationOptionsFromJSON(options) }),
        show: async (options) =>
            navigator.credentials.get({ publicKey: PublicKeyCredential.parseRequestOptionsFromJSON(options) }),
    };

    const words = (problem) => {
        if (!globalThis.PublicKeyCredential?.parseCreationOptionsFromJSON)
            return says().dataset.unknown;
        if (problem.name === "SecurityError")
            return says().dataset.host;
        if (problem.name === "InvalidStateError") return says().dataset.known;
        return problem.name === "NotAllowedError" ? says().dataset.stopped : problem.message;
    };

    const run = async (button) => {
        const form = button.form;
        button.disabled = true;
        says().textContent = "";
        try {
            const options = await send(form, button.dataset.begin, {});
            const credential = await ceremonies[button.dataset.passkey](options);
            await send(form, button.dataset.complete, credential.toJSON());
            // What the form brings along is posted; else the page leads on.
            if (button.dataset.onward) location.assign(button.dataset.onward);
            else form.submit();
        } catch (problem) {
            says().textContent = words(problem);
            button.disabled = false;
        }
    };

    document.addEventListener("click", (event) => {
        const button = event.target.closest("button[data-passkey]");
        if (button) run(button);
    });
})();
