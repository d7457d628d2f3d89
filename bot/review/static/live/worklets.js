// On the browser's audio thread: two sides of a call as they come, played one after the other without a seam.

import { Resampler } from "../resampling.js";

const SOON_S = 0.3; // held back at first, so that a late block leaves no hole

// Takes Int16Arrays of interleaved stereo at `rateHz`.
class Ears extends AudioWorkletProcessor {
  constructor({ processorOptions: { rateHz } }) {
    super();
    this.sides = [0, 1].map(() => ({ resampler: new Resampler(rateHz, sampleRate), held: new Float32Array(0) }));
    this.isPlaying = false;
    this.port.onmessage = ({ data }) => this.take(data);
  }

  take(stereo) {
    this.sides.forEach((side, channel) => {
      const samples = Float32Array.from({ length: stereo.length / 2 }, (_, index) => stereo[2 * index + channel] / 32768);
      const made = side.resampler.push(samples);
      const held = new Float32Array(side.held.length + made.length);
      held.set(side.held);
      held.set(made, side.held.length);
      side.held = held;
    });
    this.isPlaying ||= this.sides[0].held.length >= SOON_S * sampleRate;
  }

  process(_, [output]) {
    if (!this.isPlaying) return true;
    this.sides.forEach((side, channel) => {
      output[channel].set(side.held.subarray(0, output[channel].length));
      side.held = side.held.subarray(output[channel].length);
    });
    if (this.sides[0].held.length === 0) this.isPlaying = false; // nothing came: gather anew
    return true;
  }
}

registerProcessor("ears", Ears);
