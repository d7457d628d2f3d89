// Listening in: the call's two sides, the caller on the left, as the server streams them.

export class Listening {
  // `ended` is called when the sound is over, whoever ended it.
  constructor(callId, ended) {
    this.callId = callId;
    this.ended = ended;
    this.abort = new AbortController();
  }

  async start() {
    this.context = new AudioContext();
    await this.context.audioWorklet.addModule(new URL("./worklets.js", import.meta.url));
    await this.context.resume();
    try {
      const answer = await fetch(`/live/${encodeURIComponent(this.callId)}/sound`, { signal: this.abort.signal });
      if (!answer.ok) throw new Error((await answer.json()).error.message);
      await this.play(answer);
    } catch (error) {
      if (error.name !== "AbortError") throw error;
    } finally {
      this.context.close();
      this.ended();
    }
  }

  stop() {
    this.abort.abort();
  }

  async play(answer) {
    const rateHz = Number(answer.headers.get("X-Rate-Hz"));
    const ears = new AudioWorkletNode(this.context, "ears", {
      numberOfInputs: 0, outputChannelCount: [2], processorOptions: { rateHz },
    });
    ears.connect(this.context.destination);
    const reader = answer.body.getReader();
    let rest = new Uint8Array(0);
    for (let { value, done } = await reader.read(); !done; { value, done } = await reader.read()) {
      const bytes = joined(rest, value);
      const whole = bytes.length - (bytes.length % 4);
      rest = bytes.slice(whole);
      ears.port.postMessage(new Int16Array(bytes.buffer.slice(0, whole)));
    }
  }
}

function joined(first, second) {
  const both = new Uint8Array(first.length + second.length);
  both.set(first);
  both.set(second, first.length);
  return both;
}
