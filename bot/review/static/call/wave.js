// The waveform and the scale of time above it, drawn on one canvas that is as wide as the window on the tracks: only
// what is in view is drawn, however close one looks. The caller is above, the bot below.

const BAR_PX = 2;
const STEP_PX = 3;
const AXIS_PX = 22;
const TICK_PX = 72; // between two times, at least
const TICKS_S = [1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600];

export class Wave {
  constructor(canvas, view, names) {
    this.canvas = canvas;
    this.view = view;
    this.names = names; // clock(ms)
    this.peaks = null;
    this.atMs = 0;
    this.isAsked = false;
    new ResizeObserver(() => this.redraw()).observe(canvas);
    new MutationObserver(() => this.redraw()).observe(document.documentElement, { attributes: true, attributeFilter: ["data-theme"] });
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => this.redraw());
  }

  setPeaks({ bucket_ms, caller, bot }) {
    this.peaks = { bucketMs: bucket_ms, caller: bytesOf(caller), bot: bytesOf(bot) };
    this.redraw();
  }

  moveTo(atMs) {
    this.atMs = atMs;
    this.redraw();
  }

  /** Once a frame, however often it is asked for. */
  redraw() {
    if (this.isAsked) return;
    this.isAsked = true;
    requestAnimationFrame(() => {
      this.isAsked = false;
      this.draw();
    });
  }

  draw() {
    const { canvas } = this;
    const width = canvas.clientWidth;
    const height = canvas.clientHeight;
    const sharp = devicePixelRatio || 1;
    if (!width || !height) return;
    const [wide, high] = [Math.round(width * sharp), Math.round(height * sharp)];
    if (canvas.width !== wide || canvas.height !== high) Object.assign(canvas, { width: wide, height: high });
    const pen = canvas.getContext("2d");
    pen.setTransform(sharp, 0, 0, sharp, 0, 0);
    pen.clearRect(0, 0, width, height);
    const style = getComputedStyle(canvas);
    const colour = (name) => style.getPropertyValue(`--${name}`).trim();
    this.drawAxis(pen, width, height, colour);
    const room = (height - AXIS_PX) / 2;
    if (room < 8) return;
    this.drawSide(pen, "caller", AXIS_PX + room / 2, room - 10, width, colour);
    this.drawSide(pen, "bot", AXIS_PX + room * 1.5, room - 10, width, colour);
  }

  drawAxis(pen, width, height, colour) {
    const { pxPerMs, fromMs } = this.view;
    const everyMs = 1000 * (TICKS_S.find((seconds) => seconds * 1000 * pxPerMs >= TICK_PX) ?? TICKS_S.at(-1));
    pen.font = `500 11px ${getComputedStyle(document.body).fontFamily}`;
    pen.textBaseline = "middle";
    for (let ms = Math.floor(fromMs / everyMs) * everyMs; ms <= this.view.lengthMs; ms += everyMs) {
      const x = Math.round((ms - fromMs) * pxPerMs) + 0.5;
      if (x > width) break;
      pen.fillStyle = colour("line");
      pen.fillRect(x - 0.5, AXIS_PX, 1, height - AXIS_PX);
      const label = this.names(ms);
      pen.fillStyle = colour("muted");
      if (x + pen.measureText(label).width + 4 < width) pen.fillText(label, x + 4, AXIS_PX / 2 + 1);
    }
  }

  drawSide(pen, side, middle, room, width, colour) {
    const { pxPerMs, fromMs } = this.view;
    const needle = (this.atMs - fromMs) * pxPerMs;
    const strong = colour(side);
    pen.fillStyle = strong;
    const first = Math.floor((fromMs * pxPerMs) / STEP_PX);
    for (let bar = first; (bar - first - 1) * STEP_PX <= width; bar += 1) {
      const x = bar * STEP_PX - fromMs * pxPerMs;
      const half = Math.max(0.75, (this.loudest(side, (bar * STEP_PX) / pxPerMs, ((bar + 1) * STEP_PX) / pxPerMs) * room) / 2);
      if ((bar * STEP_PX) / pxPerMs > this.view.lengthMs) break;
      pen.globalAlpha = x < needle ? 1 : 0.42;
      pen.beginPath();
      pen.roundRect(x, middle - half, BAR_PX, half * 2, 1);
      pen.fill();
    }
    pen.globalAlpha = 1;
  }

  loudest(side, fromMs, toMs) {
    if (!this.peaks) return 0;
    const { bucketMs } = this.peaks;
    const values = this.peaks[side];
    const last = Math.min(values.length - 1, Math.max(Math.ceil(toMs / bucketMs) - 1, Math.floor(fromMs / bucketMs)));
    let most = 0;
    for (let at = Math.floor(fromMs / bucketMs); at <= last; at += 1) most = Math.max(most, values[at]);
    return most / 255;
  }
}

function bytesOf(base64) {
  return Uint8Array.from(atob(base64), (letter) => letter.charCodeAt(0));
}
