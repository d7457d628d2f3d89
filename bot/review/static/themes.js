// Light and dark without a reload. The server reads the same cookie, so the next page comes up right at once.

const YEAR_S = 365 * 86400;
const COOKIE = "offhook_theme";

function apply(theme) {
  const secure = location.protocol === "https:" ? "; Secure" : "";
  if (theme === "system") {
    delete document.documentElement.dataset.theme;
    document.cookie = `${COOKIE}=; Path=/; Max-Age=0; SameSite=Lax${secure}`;
  } else {
    document.documentElement.dataset.theme = theme;
    document.cookie = `${COOKIE}=${theme}; Path=/; Max-Age=${YEAR_S}; SameSite=Lax${secure}`;
  }
  document.querySelector('meta[name="color-scheme"]').content = theme === "system" ? "light dark" : theme;
}

export function chooseThemes(root) {
  for (const form of root.querySelectorAll("form[data-themes]")) {
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      apply(event.submitter.value);
      for (const button of form.querySelectorAll("button")) {
        button.setAttribute("aria-pressed", String(button === event.submitter));
      }
    });
  }
}
