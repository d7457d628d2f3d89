// The phone's page: buttons, levels and the transcript around one line at a time.

import { Line, MicrophoneError } from "./line.js";
import { Transcript } from "../transcript.js";

const phone = document.getElementById("phone");
const part = (name) => document.getElementById(name);
const FLOOR_DB = -60;

const transcript = phone && new Transcript(part("said"), part("turn"), namesOf(phone));
let line = null;
let beganAt = 0;
let ticking = 0;

function namesOf() {
  const labels = document.querySelectorAll(".levels label");
  return { caller: labels[0].textContent, bot: labels[1].textContent };
}

async function call() {
  reset();
  line = new Line({ level: showLevel, open: onOpen, closed: onClosed });
  setState("asking");
  try {
    await line.prepare();
    setState("calling");
    const { call_id, socket } = await admitted();
    line.connect(socket, call_id);
    follow(call_id);
  } catch (error) {
    line.end(false);
    setState("idle");
    complain(error instanceof MicrophoneError ? phone.dataset[error.trouble] : error.message);
  }
}

async function admitted() {
  const answer = await fetch("/phone/calls", {
    method: "POST",
    headers: { "Content-Type": "application/json", "X-CSRF-Token": document.querySelector("meta[name=csrf-token]").content },
    body: JSON.stringify({ bot: part("bot").value }),
  });
  const body = await answer.json();
  if (!answer.ok) throw new Error(body.error.message);
  return body;
}

// The call's transcript, from the moment at which the call log knows of it.
function follow(callId) {
  const link = part("open-call");
  if (phone.dataset.calls) link.href = phone.dataset.calls + encodeURIComponent(callId);
  let events = null;
  const listen = () => {
    events = new EventSource(`/live/${encodeURIComponent(callId)}/events`);
    events.addEventListener("turn", ({ data }) => {
      part("nothing-said").hidden = true;
      transcript.show(JSON.parse(data));
    });
    events.addEventListener("ended", () => {
      events.close();
      link.hidden = !phone.dataset.calls;
    });
  };
  line.onConnected = listen;
}

function onOpen() {
  setState("talking");
  line.onConnected();
  beganAt = performance.now();
  ticking = setInterval(showClock, 250);
}

function onClosed(wasLost) {
  clearInterval(ticking);
  showLevel("you", 0);
  showLevel("them", 0);
  if (phone.dataset.state !== "asking") setState("ended");
  if (wasLost) complain(phone.dataset.lost);
}

function setState(state) {
  phone.dataset.state = state;
  const isOn = state === "calling" || state === "talking";
  part("state").textContent = phone.dataset[state];
  part("clock").hidden = !(state === "talking" || state === "ended");
  part("call").hidden = isOn;
  part("call").disabled = state === "asking";
  part("hang-up").hidden = !isOn;
  part("mute").hidden = !isOn;
  part("bot").disabled = isOn || state === "asking";
  for (const key of keys()) key.disabled = state !== "talking";
}

function reset() {
  part("trouble").hidden = true;
  part("open-call").hidden = true;
  part("nothing-said").hidden = false;
  part("clock").textContent = "0:00";
  setMuted(false);
  transcript.clear();
}

function setMuted(isMuted) {
  if (line) line.isMuted = isMuted;
  part("mute").setAttribute("aria-pressed", String(isMuted));
  part("mute").querySelector("span").textContent = isMuted ? phone.dataset.unmute : phone.dataset.mute;
}

function complain(sentence) {
  part("trouble-text").textContent = sentence;
  part("trouble").hidden = false;
}

function showLevel(who, level) {
  const db = level > 0 ? 20 * Math.log10(level) : FLOOR_DB;
  part(`level-${who}`).value = Math.max(0, 1 - db / FLOOR_DB);
}

function showClock() {
  const seconds = Math.floor((performance.now() - beganAt) / 1000);
  part("clock").textContent = `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, "0")}`;
}

function keys() {
  return document.querySelectorAll(".keypad button");
}

if (phone) {
  part("call").addEventListener("click", call);
  part("hang-up").addEventListener("click", () => line.hangUp());
  part("mute").addEventListener("click", () => setMuted(!line.isMuted));
  for (const key of keys()) key.addEventListener("click", () => line.press(key.dataset.key));
  document.addEventListener("keydown", (event) => {
    if (phone.dataset.state !== "talking" || event.ctrlKey || event.metaKey || event.altKey) return;
    if (/^[0-9*#]$/.test(event.key)) line.press(event.key);
  });
}
