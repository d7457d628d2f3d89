// A menu is a <details>: it closes on Escape, and when the visitor goes elsewhere.

export function closeMenus(root) {
  const menus = [...root.querySelectorAll("details[data-menu]")];
  const closeUnless = (inside) => {
    for (const menu of menus) if (!menu.contains(inside)) menu.open = false;
  };
  root.addEventListener("click", (event) => closeUnless(event.target));
  root.addEventListener("focusin", (event) => closeUnless(event.target));
  root.addEventListener("keydown", (event) => {
    if (event.key !== "Escape") return;
    for (const menu of menus.filter((menu) => menu.open)) {
      menu.open = false;
      menu.querySelector("summary").focus();
    }
  });
}
