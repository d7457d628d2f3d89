// One call: the microphone, the ear, and the socket between them and the bot. It knows nothing of the page.

import { decode, encode } from "./mulaw.js";

const FRAME_MS = 20;
const STAMP_BYTES = 4;

// What a page can say about why there is no microphone.
export class MicrophoneError extends Error {
  constructor(trouble) {
    super(trouble);
    this.trouble = trouble; // insecure, refused, missing, taken, unsupported
  }
}

export class Line {
  // `on` has level(who, value), open(), closed(wasLost).
  constructor(on) {
    this.on = on;
    this.isMuted = false;
    this.frames = 0;
    this.hasHungUp = false;
  }

  // Ask for the microphone, which browsers allow only after a click; throws `MicrophoneError`.
  async prepare() {
    if (!window.isSecureContext || !navigator.mediaDevices) throw new MicrophoneError("insecure");
    if (!window.AudioWorkletNode) throw new MicrophoneError("unsupported");
    this.stream = await microphone();
    this.context = new AudioContext({ latencyHint: "interactive" });
    await this.context.audioWorklet.addModule(new URL("./worklets.js", import.meta.url));
    await this.context.resume();
    this.ear = new AudioWorkletNode(this.context, "earpiece", { numberOfInputs: 0 });
    this.ear.connect(this.context.destination);
    this.ear.port.onmessage = ({ data }) => this.fromEar(data);
  }

  connect(path, callId) {
    const address = new URL(path, location.href);
    address.protocol = address.protocol.replace("http", "ws");
    this.socket = new WebSocket(address);
    this.socket.binaryType = "arraybuffer";
    this.socket.onopen = () => this.begin(callId);
    this.socket.onmessage = ({ data }) => this.fromBot(JSON.parse(data));
    this.socket.onclose = ({ code }) => this.end(code !== 1000 && !this.hasHungUp);
  }

  press(digit) {
    this.send({ event: "dtmf", digit });
  }

  hangUp() {
    this.hasHungUp = true;
    this.send({ event: "stop" });
    if (this.socket) this.socket.close(1000);
    else this.end(false);
  }

  begin(callId) {
    this.send({ event: "start", call: callId });
    const source = this.context.createMediaStreamSource(this.stream);
    this.mouth = new AudioWorkletNode(this.context, "microphone", { numberOfOutputs: 0, channelCount: 1, channelCountMode: "explicit" });
    this.mouth.port.onmessage = ({ data }) => this.fromMouth(data);
    source.connect(this.mouth);
    this.on.open();
  }

  fromMouth({ frame, level }) {
    this.on.level("you", this.isMuted ? 0 : level);
    if (this.socket.readyState !== WebSocket.OPEN) return;
    const message = new Uint8Array(STAMP_BYTES + frame.length);
    new DataView(message.buffer).setUint32(0, this.frames * FRAME_MS, true);
    message.set(encode(this.isMuted ? frame.fill(0) : frame), STAMP_BYTES);
    this.frames += 1;
    this.socket.send(message);
  }

  fromBot(message) {
    if (message.event === "media") {
      const payload = Uint8Array.from(atob(message.payload), (letter) => letter.charCodeAt(0));
      this.ear.port.postMessage({ sound: decode(payload) });
    } else if (message.event === "mark") {
      this.ear.port.postMessage({ mark: message.name });
    } else if (message.event === "clear") {
      this.ear.port.postMessage({ clear: true });
    }
  }

  fromEar({ mark, level }) {
    if (mark !== undefined) this.send({ event: "mark", name: mark });
    if (level !== undefined) this.on.level("them", level);
  }

  send(message) {
    if (this.socket?.readyState === WebSocket.OPEN) this.socket.send(JSON.stringify(message));
  }

  end(wasLost) {
    if (this.isOver) return;
    this.isOver = true;
    this.stream?.getTracks().forEach((track) => track.stop());
    this.context?.close();
    this.on.closed(wasLost);
  }
}

async function microphone() {
  try {
    return await navigator.mediaDevices.getUserMedia({
      audio: { echoCancellation: true, noiseSuppression: true, autoGainControl: true, channelCount: 1 },
    });
  } catch (error) {
    const troubles = { NotAllowedError: "refused", SecurityError: "refused", NotFoundError: "missing", NotReadableError: "taken" };
    throw new MicrophoneError(troubles[error.name] ?? "missing");
  }
}
