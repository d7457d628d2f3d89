// On the browser's audio thread: the microphone as frames of a telephone line, and the line's sound for the ear.

import { Resampler } from "../resampling.js";

const LINE_HZ = 8000;
const FRAME = 160; // samples: 20 ms
const METER_SAMPLES = 2400;

// Posts {frame: Float32Array, level} for every 20 ms.
class Microphone extends AudioWorkletProcessor {
  constructor() {
    super();
    this.resampler = new Resampler(sampleRate, LINE_HZ);
    this.held = new Float32Array(0);
  }

  process([input]) {
    const heard = input[0] ?? new Float32Array(128);
    const made = this.resampler.push(heard);
    const line = new Float32Array(this.held.length + made.length);
    line.set(this.held);
    line.set(made, this.held.length);
    let at = 0;
    for (; at + FRAME <= line.length; at += FRAME) {
      const frame = line.slice(at, at + FRAME);
      this.port.postMessage({ frame, level: level(frame) }, [frame.buffer]);
    }
    this.held = line.slice(at);
    return true;
  }
}

// Takes {sound: Float32Array}, {mark: name}, {clear: true}; posts {mark: name} when all before it was played, {level}.
class Earpiece extends AudioWorkletProcessor {
  constructor() {
    super();
    this.queue = []; // of samples and marks, in order
    this.played = 0; // of the first samples
    this.sum = this.count = 0;
    this.start();
    this.port.onmessage = ({ data }) => this.take(data);
  }

  start() {
    this.resampler = new Resampler(LINE_HZ, sampleRate);
  }

  take({ sound, mark, clear }) {
    if (sound) this.queue.push(this.resampler.push(sound));
    if (mark !== undefined) this.queue.push(mark);
    if (clear) {
      const marks = this.queue.filter((one) => typeof one === "string");
      this.queue = [];
      this.played = 0;
      this.start();
      for (const name of marks) this.port.postMessage({ mark: name });
    }
    this.returnMarks();
  }

  returnMarks() {
    while (typeof this.queue[0] === "string") this.port.postMessage({ mark: this.queue.shift() });
  }

  process(_, [output]) {
    const out = output[0];
    let filled = 0;
    while (filled < out.length && this.queue.length) {
      const sound = this.queue[0];
      const some = Math.min(out.length - filled, sound.length - this.played);
      out.set(sound.subarray(this.played, this.played + some), filled);
      filled += some;
      this.played += some;
      if (this.played === sound.length) {
        this.queue.shift();
        this.played = 0;
        this.returnMarks();
      }
    }
    for (let channel = 1; channel < output.length; channel++) output[channel].set(out);
    this.measure(out);
    return true;
  }

  measure(out) {
    for (const sample of out) this.sum += sample * sample;
    this.count += out.length;
    if (this.count < METER_SAMPLES) return;
    this.port.postMessage({ level: Math.sqrt(this.sum / this.count) });
    this.sum = this.count = 0;
  }
}

function level(frame) {
  return Math.sqrt(frame.reduce((sum, sample) => sum + sample * sample, 0) / frame.length);
}

registerProcessor("microphone", Microphone);
registerProcessor("earpiece", Earpiece);
