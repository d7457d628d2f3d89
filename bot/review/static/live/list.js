// The list of live calls, kept as the server tells it.

import { keepClocks } from "./clocks.js";

const list = document.getElementById("calls");
const template = document.getElementById("line");
const silent = document.getElementById("live").dataset.silent;

function show(calls) {
  const items = new Map([...list.children].map((item) => [item.dataset.call, item]));
  list.replaceChildren(...calls.map((call) => renewed(items.get(call.call_id) ?? added(call), call)));
  list.hidden = calls.length === 0;
  document.getElementById("none").hidden = calls.length > 0;
}

function added(call) {
  const item = template.content.firstElementChild.cloneNode(true);
  item.dataset.call = call.call_id;
  item.querySelector("a").href = `/live/${encodeURIComponent(call.call_id)}`;
  item.querySelector(".live-caller").textContent = call.caller;
  item.querySelector(".live-with").textContent = `${call.bot} · ${call.carrier}`;
  item.querySelector(".live-clock").dataset.since = call.started_at;
  return item;
}

function renewed(item, call) {
  const words = item.querySelector(".live-words");
  words.textContent = call.words || silent;
  words.dataset.speaker = call.speaker;
  return item;
}

keepClocks();
new EventSource("/live/events").addEventListener("calls", ({ data }) => show(JSON.parse(data)));
