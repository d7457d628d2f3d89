// A check takes some seconds: the button says so by being out of use until the page with its findings comes.

const form = document.querySelector("[data-checking]");

form?.addEventListener("submit", () => {
  form.querySelector("button").disabled = true;
  document.body.setAttribute("aria-busy", "true");
});
