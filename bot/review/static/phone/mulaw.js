// ITU-T G.711 mu-law, to and from numbers between -1 and 1.

const BIAS = 132;
const CLIP = 32635;

const DECODED = Float32Array.from({ length: 256 }, (_, code) => {
  const inverted = ~code & 0xff;
  const magnitude = ((((inverted & 0x0f) << 3) + BIAS) << ((inverted & 0x70) >> 4)) - BIAS;
  return (inverted & 0x80 ? -magnitude : magnitude) / 32768;
});

export function decode(payload) {
  return Float32Array.from(payload, (code) => DECODED[code]);
}

export function encode(samples) {
  return Uint8Array.from(samples, (sample) => {
    const linear = Math.round(Math.max(-1, Math.min(1, sample)) * 32767);
    const magnitude = Math.min(CLIP, Math.abs(linear)) + BIAS;
    const exponent = Math.max(0, 31 - Math.clz32(magnitude) - 7);
    const mantissa = (magnitude >> (exponent + 3)) & 0x0f;
    return ~((linear < 0 ? 0x80 : 0) | (exponent << 4) | mantissa) & 0xff;
  });
}
