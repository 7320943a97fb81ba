// Ctrl-K, or Command-K, goes to the search of everything, from wherever one is on a page.
document.addEventListener("keydown", (event) => {
    if (event.key.toLowerCase() !== "k" || !(event.ctrlKey || event.metaKey) || event.altKey || event.shiftKey) {
        return;
    }
    const field = document.querySelector(".wallet-find input[name=q]");
    if (field) {
        event.preventDefault();
        field.focus();
        field.select();
    }
});
