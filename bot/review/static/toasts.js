// Short sentences at the lower edge, which go away by themselves.

const SHOWN_MS = 5000;
const LEAVING_MS = 300;

function leaveLater(toast) {
  setTimeout(() => {
    toast.classList.add("leaving");
    setTimeout(() => toast.remove(), LEAVING_MS);
  }, SHOWN_MS);
}

/** Say something; screen readers say it too. */
export function say(text) {
  const toast = document.createElement("div");
  toast.className = "toast";
  toast.textContent = text;
  document.getElementById("toasts").append(toast);
  leaveLater(toast);
}

export function fadeToasts(root) {
  for (const toast of root.querySelectorAll("[data-toast]")) leaveLater(toast);
}
