// How long something has been going on: every element with data-since (a moment in ISO 8601) counts up.

export function keepClocks() {
  const tick = () => {
    for (const clock of document.querySelectorAll("[data-since]")) clock.textContent = elapsed(clock.dataset.since);
  };
  tick();
  return setInterval(tick, 1000);
}

function elapsed(since) {
  const seconds = Math.max(0, Math.floor((Date.now() - Date.parse(since)) / 1000));
  if (Number.isNaN(seconds)) return "";
  return `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, "0")}`;
}
