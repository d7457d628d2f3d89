// Buttons that put text on the clipboard. They are hidden until there is script, and where browsers forbid it (no TLS).

const COPIED_MS = 2000;

export function copyButtons(root) {
  if (!navigator.clipboard) return;
  for (const button of root.querySelectorAll("button[data-copy]")) {
    button.hidden = false;
    button.addEventListener("click", async () => {
      await navigator.clipboard.writeText(button.dataset.copy);
      const words = button.querySelector("span");
      const before = words.textContent;
      words.textContent = button.dataset.copied;
      setTimeout(() => (words.textContent = before), COPIED_MS);
    });
  }
}
