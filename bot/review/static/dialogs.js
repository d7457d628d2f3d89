// A form with data-ask is sent only after somebody has said yes in a dialog. Without script it is sent at once.

function dialogFor(question, yes, no, isDangerous) {
  const dialog = document.createElement("dialog");
  const text = document.createElement("p");
  text.id = "ask-text";
  text.textContent = question;
  dialog.setAttribute("aria-labelledby", text.id);
  const actions = document.createElement("form");
  actions.method = "dialog";
  actions.className = "dialog-actions";
  for (const [value, words, look] of [
    ["", no, "quiet"],
    ["yes", yes, isDangerous ? "danger sure" : "primary"],
  ]) {
    const button = document.createElement("button");
    button.value = value;
    button.textContent = words;
    button.className = look;
    actions.append(button);
  }
  dialog.append(text, actions);
  return dialog;
}

/** Ask a question with two answers; resolves to whether it was the first one. */
export function ask(question, yes, { no = document.body.dataset.cancel, isDangerous = false } = {}) {
  const dialog = dialogFor(question, yes, no, isDangerous);
  document.body.append(dialog);
  dialog.showModal();
  return new Promise((resolve) => {
    dialog.addEventListener("close", () => {
      resolve(dialog.returnValue === "yes");
      dialog.remove();
    });
  });
}

export function askFirst(root) {
  root.addEventListener("submit", async (event) => {
    const form = event.target;
    if (!form.dataset.ask || form.dataset.answered) return;
    event.preventDefault();
    const button = event.submitter ?? form.querySelector("button");
    const isDangerous = button?.classList.contains("danger") ?? false;
    if (!(await ask(form.dataset.ask, form.dataset.askYes, { isDangerous }))) return;
    form.dataset.answered = "yes";
    form.requestSubmit(button);
  });
}
