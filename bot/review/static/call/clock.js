// Times of a call as people read and link them.

/** 63200 → "1:03", with tenths "1:03.2". */
export function clock(ms, { tenths = false } = {}) {
  const all = tenths ? Math.floor(ms / 100) * 100 : Math.floor(ms / 1000) * 1000;
  const hours = Math.floor(all / 3_600_000);
  const minutes = Math.floor(all / 60_000) % 60;
  const seconds = (all / 1000) % 60;
  const end = tenths ? seconds.toFixed(1).padStart(4, "0") : String(seconds).padStart(2, "0");
  return hours ? `${hours}:${String(minutes).padStart(2, "0")}:${end}` : `${minutes}:${end}`;
}

const PLACE = /^#t=(\d{1,6}(?:\.\d{1,3})?)(?:&word=(\d{1,9})\.(\d{1,9}))?$/;

/** The moment that an address leads to (#t=63.2), in milliseconds; null for none. */
export function momentOf(hash) {
  const found = PLACE.exec(hash);
  return found ? Number(found[1]) * 1000 : null;
}

/** The word that it means (#t=63.2&word=4.17), by its turn and the letter it begins with; null for none. */
export function wordOf(hash) {
  const found = PLACE.exec(hash);
  return found?.[2] ? { turn: Number(found[2]), letter: Number(found[3]) } : null;
}

export function hashOf(ms) {
  return `#t=${(Math.floor(ms / 100) / 10).toFixed(1)}`;
}
