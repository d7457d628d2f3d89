// <time data-moment="…"> in the visitor's own time zone and manner; the page has it in UTC.

const MINUTE = new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeStyle: "short" });
const SECOND = new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeStyle: "medium" });
const FULL = new Intl.DateTimeFormat(undefined, { dateStyle: "full", timeStyle: "long" });
const AGO = new Intl.RelativeTimeFormat(undefined, { numeric: "auto" });
const UNITS = [
  ["day", 86400],
  ["hour", 3600],
  ["minute", 60],
];
const AGO_UP_TO_S = 7 * 86400;

function ago(moment) {
  const seconds = (moment - Date.now()) / 1000;
  if (Math.abs(seconds) > AGO_UP_TO_S) return MINUTE.format(moment);
  const [unit, length] = UNITS.find(([, length]) => Math.abs(seconds) >= length) ?? ["second", 1];
  return AGO.format(unit === "second" ? 0 : Math.round(seconds / length), unit);
}

export function localTimes(root) {
  for (const time of root.querySelectorAll("time[data-moment]")) {
    const moment = new Date(time.dateTime);
    if (Number.isNaN(moment.valueOf())) continue;
    const style = time.dataset.moment;
    time.textContent = style === "ago" ? ago(moment) : (style === "second" ? SECOND : MINUTE).format(moment);
    time.title = FULL.format(moment);
  }
}
