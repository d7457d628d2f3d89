// The tracks of a call on one axis of time: the ruler that is clicked and dragged, the lanes below it, and how closely
// one looks. Everything is placed in shares of the sheet's width, so that only the sheet grows.

import { clock } from "./clock.js";

const STEP_MS = 5000;
const PAGE_MS = 30_000;
const CLOSEST_PX_PER_S = 160;
const NARROWEST_PX = 8;
const NARROWEST_DENSE_PX = 3; // where a lane holds very many
const AHEAD = 0.25; // of the window: where the needle is put when it leaves

export class Tracks {
  constructor(parts, player, lengthMs) {
    Object.assign(this, parts); // window, sheet, ruler, needle, zoomIn, zoomOut
    this.player = player;
    this.lengthMs = Math.max(1, lengthMs);
    this.zoom = 1;
    this.wave = null;
    this.placeMarks();
    this.listen();
  }

  // What the waveform is drawn by.
  get pxPerMs() {
    return this.sheet.clientWidth / this.lengthMs;
  }

  get fromMs() {
    return this.window.scrollLeft / this.pxPerMs;
  }

  placeMarks() {
    for (const lane of this.sheet.querySelectorAll(".lane")) {
      const marks = [...lane.querySelectorAll("[data-n]")];
      marks.forEach((mark, at) => this.place(mark, marks[at + 1]));
    }
  }

  place(mark, next) {
    const { from, to } = mark.dataset;
    const share = (ms) => (100 * ms) / this.lengthMs;
    const narrowest = mark.parentElement.classList.contains("dense") ? NARROWEST_DENSE_PX : NARROWEST_PX;
    mark.style.left = `${share(from)}%`;
    mark.style.width = Number(to) > Number(from) ? `max(${narrowest}px, ${share(to - from)}%)` : "";
    mark.classList.toggle("point", Number(to) <= Number(from));
    if (!mark.firstElementChild) return;
    // Its words may be wider than the time it took: they end before the next mark, and within the sheet.
    const words = mark.firstElementChild.scrollWidth + 12;
    const room = next ? `min(${words}px, ${share(next.dataset.from - from)}% - 3px)` : `${words}px`;
    mark.style.width = `max(${narrowest}px, ${share(to - from)}%, ${room})`;
    if (!next) mark.style.left = `min(${mark.style.left}, 100% - ${words}px)`;
  }

  listen() {
    this.window.addEventListener("scroll", () => this.wave?.redraw(), { passive: true });
    this.zoomIn.addEventListener("click", () => this.setZoom(this.zoom * 2));
    this.zoomOut.addEventListener("click", () => this.setZoom(this.zoom / 2));
    this.ruler.addEventListener("pointerdown", (event) => this.drag(event));
    this.ruler.addEventListener("keydown", (event) => this.onRulerKey(event));
    for (const lane of this.sheet.querySelectorAll(".lane")) lane.addEventListener("keydown", (event) => onLaneKey(event, lane));
    new ResizeObserver(() => this.fit()).observe(this.window);
  }

  /** The canvas is as wide as the window: were it wider, it could not stay in place at the sheet's end. */
  fit() {
    if (!this.wave) return;
    this.wave.canvas.style.width = `${this.window.clientWidth}px`;
    this.wave.redraw();
  }

  drag(event) {
    if (event.button !== 0) return;
    const go = ({ clientX }) => this.player.seek((clientX - this.sheet.getBoundingClientRect().left) / this.pxPerMs);
    this.ruler.setPointerCapture(event.pointerId);
    this.ruler.addEventListener("pointermove", go);
    for (const end of ["pointerup", "pointercancel"]) {
      this.ruler.addEventListener(end, () => this.ruler.removeEventListener("pointermove", go), { once: true });
    }
    go(event);
  }

  onRulerKey(event) {
    const by = { ArrowLeft: -STEP_MS, ArrowDown: -STEP_MS, ArrowRight: STEP_MS, ArrowUp: STEP_MS, PageDown: -PAGE_MS, PageUp: PAGE_MS };
    const to = { Home: 0, End: this.lengthMs }[event.key] ?? (event.key in by ? this.player.atMs + by[event.key] : null);
    if (to === null || event.ctrlKey || event.metaKey || event.altKey) return;
    event.preventDefault();
    event.stopPropagation();
    this.player.seek(to);
  }

  setZoom(zoom) {
    const atMs = this.isInView(this.player.atMs) ? this.player.atMs : this.fromMs + this.window.clientWidth / this.pxPerMs / 2;
    const offset = (atMs - this.fromMs) * this.pxPerMs;
    const closest = Math.max(1, (this.lengthMs / 1000) * CLOSEST_PX_PER_S) / this.window.clientWidth;
    this.zoom = Math.max(1, Math.min(zoom, closest));
    this.sheet.style.width = `${this.zoom * 100}%`;
    this.window.scrollLeft = atMs * this.pxPerMs - offset;
    this.zoomOut.disabled = this.zoom <= 1;
    this.zoomIn.disabled = this.zoom >= closest;
    this.wave?.redraw();
  }

  isInView(ms) {
    const x = (ms - this.fromMs) * this.pxPerMs;
    return x >= 0 && x <= this.window.clientWidth;
  }

  moveTo(atMs) {
    this.needle.style.left = `${(100 * atMs) / this.lengthMs}%`;
    this.ruler.setAttribute("aria-valuenow", (atMs / 1000).toFixed(1));
    this.ruler.setAttribute("aria-valuetext", clock(atMs));
    if (this.zoom > 1 && !this.isInView(atMs)) this.window.scrollLeft = atMs * this.pxPerMs - this.window.clientWidth * AHEAD;
    this.wave?.moveTo(atMs);
  }
}

// A lane is one stop of the Tab key; within it the arrows go from mark to mark.
function onLaneKey(event, lane) {
  const marks = [...lane.querySelectorAll("button")];
  const at = marks.indexOf(event.target);
  const to = { ArrowLeft: at - 1, ArrowRight: at + 1, Home: 0, End: marks.length - 1 }[event.key];
  if (at < 0 || to === undefined) return;
  event.preventDefault();
  event.stopPropagation();
  if (!marks[to]) return;
  for (const mark of marks) mark.tabIndex = mark === marks[to] ? 0 : -1;
  marks[to].focus();
}
