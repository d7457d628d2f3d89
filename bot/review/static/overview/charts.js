// Charts by keyboard: one stop for the Tab key each, arrows and Home and End go from slot to slot, Enter follows.

const STEPS = { ArrowLeft: -1, ArrowUp: -1, ArrowRight: 1, ArrowDown: 1, Home: -Infinity, End: Infinity };

for (const chart of document.querySelectorAll("[data-chart]")) {
  const slots = [...chart.querySelectorAll("a")];

  function go(from, to) {
    slots[from].setAttribute("tabindex", "-1");
    slots[to].setAttribute("tabindex", "0");
    slots[to].focus();
  }

  chart.addEventListener("keydown", (event) => {
    const step = STEPS[event.key];
    const at = slots.indexOf(event.target.closest("a"));
    if (step === undefined || at < 0 || event.ctrlKey || event.metaKey || event.altKey) return;
    event.preventDefault();
    go(at, Math.min(slots.length - 1, Math.max(0, at + step)));
  });
}
