// A transcription, a speech and a realtime turn with OpenAI's own SDK for Node; one line of JSON tells what came of them.
//
//   node turns.mjs BASE_URL QUESTION.wav QUESTION.pcm        (the second is the same question, 24,000 Hz, 16-bit mono)

import fs from "node:fs";
import net from "node:net";
import { File } from "node:buffer";

globalThis.File ??= File; // Node 18 has it, but not as a global

const { default: OpenAI, toFile } = await import("openai");
const { OpenAIRealtimeWS } = await import("openai/realtime/ws");

const [baseURL, wav, pcm] = process.argv.slice(2);
const client = new OpenAI({ baseURL, apiKey: "any", maxRetries: 0, timeout: 40_000 });

async function transcribe(file, options = {}) {
  return client.audio.transcriptions.create({ file, model: "whisper-1", ...options });
}

async function stream() {
  const file = fs.createReadStream(wav);
  const events = await client.audio.transcriptions.create({ file, model: "gpt-4o-transcribe", stream: true });
  const types = new Set();
  let text = "";
  for await (const event of events) {
    types.add(event.type);
    if (event.type === "transcript.text.delta") text += event.delta;
  }
  return { text, types: [...types] };
}

async function speak(input) {
  const response = await client.audio.speech.create({ model: "gpt-4o-mini-tts", voice: "coral", input });
  const sound = Buffer.from(await response.arrayBuffer());
  const heard = await transcribe(await toFile(sound, "speech.mp3"));
  return { type: response.headers.get("content-type"), heard: heard.text };
}

async function converse() {
  // The SDK always writes wss://, whatever the base URL is; a server without a certificate is reached in the clear so.
  const createConnection = ({ host, port }) => net.connect({ host, port });
  const realtime = new OpenAIRealtimeWS({ model: "gpt-realtime-2.1", options: { createConnection } }, client);
  const turn = { types: [], asked: "", answered: "", soundBytes: 0 };
  return new Promise((resolve, reject) => {
    realtime.on("error", reject);
    realtime.on("event", (event) => {
      if (turn.types.at(-1) !== event.type) turn.types.push(event.type);
    });
    realtime.on("session.created", () => {
      const format = { type: "audio/pcm", rate: 24000 };
      const turn_detection = { type: "server_vad", silence_duration_ms: 500 };
      const input = { format, turn_detection, transcription: { model: "gpt-4o-mini-transcribe" } };
      const audio = { input, output: { format, voice: "marin" } };
      realtime.send({ type: "session.update", session: { type: "realtime", audio } });
    });
    realtime.on("session.updated", () => {
      const sound = Buffer.concat([Buffer.alloc(24_000), fs.readFileSync(pcm), Buffer.alloc(48_000)]);
      for (let at = 0; at < sound.length; at += 9600) {
        const audio = sound.subarray(at, at + 9600).toString("base64");
        realtime.send({ type: "input_audio_buffer.append", audio });
      }
    });
    realtime.on("conversation.item.input_audio_transcription.completed", ({ transcript }) => (turn.asked = transcript));
    realtime.on("response.output_audio_transcript.delta", ({ delta }) => (turn.answered += delta));
    realtime.on("response.output_audio.delta", ({ delta }) => {
      turn.soundBytes += Buffer.from(delta, "base64").length;
    });
    realtime.on("response.done", ({ response }) => {
      turn.status = response.status;
      realtime.close();
      resolve(turn);
    });
  });
}

async function refuse() {
  try {
    await transcribe(fs.createReadStream(wav), { response_format: "diarized_json" });
  } catch (error) {
    return { kind: error.constructor.name, status: error.status, param: error.param, id: error.requestID };
  }
}

const file = fs.createReadStream(wav);
const words = await transcribe(file, { response_format: "verbose_json", timestamp_granularities: ["word"] });
console.log(
  JSON.stringify({
    models: (await client.models.list()).data.map((model) => model.id),
    transcription: { text: words.text, words: words.words },
    stream: await stream(),
    speech: await speak("Today is a wonderful day to build something people love!"),
    realtime: await converse(),
    refusal: await refuse(),
  }),
);
