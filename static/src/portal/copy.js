/* A button behind what is typed into the app of a bank. Without it one touch selects the whole value (.copy). */
if (navigator.clipboard) {
    const [copy, copied] = [...document.querySelectorAll("#copy-words > div")].map(
        (word) => word.textContent
    );
    const status = document.getElementById("copied");
    for (const value of document.querySelectorAll(".copy")) {
        const button = document.createElement("button");
        button.type = "button";
        button.className = "button plain copy-button";
        button.textContent = copy;
        button.setAttribute("aria-label", `${copy}: ${value.textContent}`);
        button.addEventListener("click", async () => {
            const text = value.textContent.trim();
            // A bank asks an amount without a currency and without anything between the thousands.
            const sum = text.replace(/[^\d.,]/g, "").replace(/[.,](?=.*[.,])/g, "");
            await navigator.clipboard.writeText(value.matches(".sum") ? sum : text);
            status.textContent = button.textContent = copied;
            setTimeout(() => (button.textContent = copy), 3000);
        });
        value.after(button);
    }
}
