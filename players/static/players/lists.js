// Ids get a button that copies all of them, and headings stand above the amounts of their column.
const copy = (text, button) => navigator.clipboard.writeText(text).then(() => {
    button.textContent = "check";
    setTimeout(() => { button.textContent = "content_copy"; }, 1500);
});

const addButton = (id) => {
    const text = id.title || id.textContent.trim();
    if (!navigator.clipboard || text.length < 8) {
        return;
    }
    const button = document.createElement("button");
    button.type = "button";
    button.className = "wallet-copy material-symbols-outlined";
    button.textContent = "content_copy";
    const word = document.querySelector("main")?.dataset.copy || "Copy";
    button.title = word;
    button.setAttribute("aria-label", `${word} ${text}`);
    button.addEventListener("click", () => copy(text, button));
    (id.closest("a") || id).after(button);
};

const alignHeading = (cell) => {
    const heading = cell.closest("table")?.tHead?.rows[0]?.cells[cell.cellIndex];
    heading?.classList.add("wallet-amounts");
};

document.addEventListener("DOMContentLoaded", () => {
    document.querySelectorAll(".wallet-id:not(.wallet-amount)[title], .readonly .wallet-id:not(.wallet-amount)").forEach(addButton);
    document.querySelectorAll("tr:first-child td .wallet-amount").forEach((amount) => alignHeading(amount.closest("td")));
});
