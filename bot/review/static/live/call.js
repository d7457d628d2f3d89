// One live call: its transcript as it is spoken, listening in, and stepping in.

import { ask } from "../dialogs.js";
import { say } from "../toasts.js";
import { Transcript } from "../transcript.js";
import { keepClocks } from "./clocks.js";
import { Listening } from "./listening.js";

const part = (name) => document.getElementById(name);
const call = part("call");
const path = `/live/${encodeURIComponent(call.dataset.call)}`;
const transcript = new Transcript(part("said"), part("turn"), { caller: call.dataset.caller, bot: call.dataset.bot });
const clocks = keepClocks();
let listening = null;

function follow() {
  const events = new EventSource(`${path}/events`);
  events.onopen = () => (part("trouble").hidden = true);
  events.onerror = () => complain(call.dataset.lost);
  events.addEventListener("turn", ({ data }) => {
    part("nothing-said").hidden = true;
    transcript.show(JSON.parse(data));
  });
  events.addEventListener("ended", () => {
    events.close();
    end();
  });
}

function end() {
  clearInterval(clocks);
  part("clock").classList.remove("live");
  part("over").hidden = false;
  listening?.stop();
  for (const control of document.querySelectorAll(".handset button, .handset input, .handset select")) control.disabled = true;
}

function complain(sentence) {
  part("trouble-text").textContent = sentence;
  part("trouble").hidden = false;
}

async function act(form) {
  const action = form.dataset.action;
  if (!(await isMeant(form))) return;
  const answer = await fetch(`${path}/${action}`, {
    method: "POST",
    headers: { "Content-Type": "application/json", "X-CSRF-Token": document.querySelector("meta[name=csrf-token]").content },
    body: JSON.stringify(Object.fromEntries(new FormData(form))),
  });
  part("trouble").hidden = answer.ok;
  if (!answer.ok) return complain((await answer.json()).error.message);
  form.reset();
  say(call.dataset[`done${action.replace(/(^|-)(.)/g, (_, __, letter) => letter.toUpperCase())}`]);
}

async function isMeant(form) {
  const button = form.querySelector("button");
  const isDangerous = button.classList.contains("danger");
  return !form.dataset.question || ask(form.dataset.question, button.textContent.trim(), { isDangerous });
}

function showListening(isOn) {
  const button = part("listen");
  button.setAttribute("aria-pressed", String(isOn));
  button.querySelector("span").textContent = isOn ? call.dataset.stop : call.dataset.listen;
}

function toggleListening() {
  if (listening) return listening.stop();
  listening = new Listening(call.dataset.call, () => {
    listening = null;
    showListening(false);
  });
  showListening(true);
  listening.start().catch((error) => complain(error.message));
}

for (const form of document.querySelectorAll("form[data-action]")) {
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    act(form);
  });
}
part("listen")?.addEventListener("click", toggleListening);
follow();
