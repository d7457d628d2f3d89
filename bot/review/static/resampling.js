// From one sample rate to another, as a stream: a windowed sinc at each output sample's place among the input samples.

const PERIODS = 20; // of the lower rate on each side: steep enough for telephone speech, 2.5 ms of delay at 8 kHz
const BAND = 0.92; // of what the lower rate can hold
const STEPS = 512; // of the kernel's table, per input sample

export class Resampler {
  constructor(fromHz, toHz) {
    this.step = fromHz / toHz; // input samples per output sample
    const lower = Math.min(1, toHz / fromHz);
    this.half = Math.ceil(PERIODS / lower);
    this.kernel = kernel(this.half, lower * BAND);
    this.held = new Float32Array(2 * this.half); // silence before the beginning
    this.at = this.half; // the next output sample's place in `held`
  }

  // The next samples of the stream, as numbers from -1 to 1; returns those that can be made by now.
  push(samples) {
    const held = new Float32Array(this.held.length + samples.length);
    held.set(this.held);
    held.set(samples, this.held.length);
    const made = [];
    for (; this.at + this.half < held.length; this.at += this.step) made.push(this.sampleAt(held, this.at));
    const done = Math.max(0, Math.min(held.length, Math.floor(this.at) - this.half));
    this.held = held.slice(done);
    this.at -= done;
    return Float32Array.from(made);
  }

  sampleAt(held, at) {
    const first = Math.ceil(at - this.half);
    const last = Math.min(Math.floor(at + this.half), held.length - 1);
    let sum = 0;
    for (let index = Math.max(0, first); index <= last; index++) {
      sum += held[index] * this.kernel[Math.round(Math.abs(index - at) * STEPS)];
    }
    return sum;
  }
}

function kernel(half, band) {
  const table = new Float32Array(half * STEPS + 2);
  for (let index = 0; index <= half * STEPS; index++) {
    const x = index / STEPS;
    const angle = Math.PI * band * x;
    const sinc = x === 0 ? 1 : Math.sin(angle) / angle;
    const window = 0.42 + 0.5 * Math.cos((Math.PI * x) / half) + 0.08 * Math.cos((2 * Math.PI * x) / half); // Blackman
    table[index] = band * sinc * window;
  }
  return table;
}
