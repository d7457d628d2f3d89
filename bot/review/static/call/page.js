// The page of one call: what plays, what follows, and what is said of it, joined.

import { ask as askReader } from "../dialogs.js";
import { say } from "../toasts.js";
import { ask } from "./api.js";
import { clock, hashOf, momentOf, wordOf } from "./clock.js";
import { Following } from "./following.js";
import { Inspector, moreLines } from "./happened.js";
import { Player } from "./player.js";
import { Reviewing } from "./reviewing.js";
import { Tracks } from "./tracks.js";
import { Wave } from "./wave.js";
import { wordTimes } from "./words.js";

const STEP_MS = 5000;
const part = (name) => document.getElementById(name);
const card = part("player");
const { call: path, lost } = card.dataset;
const lengthMs = Number(card.dataset.length);
const trouble = { lost, complain };

const player = new Player(part("audio"), lengthMs);
const tracks = new Tracks(
  { window: part("tracks"), sheet: part("sheet"), ruler: part("ruler"), needle: part("needle"), zoomIn: part("zoom-in"), zoomOut: part("zoom-out") },
  player,
  lengthMs,
);
const wave = new Wave(part("wave"), tracks, clock);
const following = new Following({ list: part("said-window"), frame: part("said-window"), button: part("follow") }, player);
const inspector = new Inspector(
  { frame: part("inspector"), lines: part("inspector-lines"), close: part("inspector-close") },
  `${path}/happened`,
  trouble,
);

function complain(sentence) {
  part("trouble").textContent = sentence;
  part("trouble").hidden = !sentence;
}

function showMoment(atMs, seeked) {
  part("clock").textContent = clock(atMs, { tenths: true });
  tracks.moveTo(atMs);
  following.moveTo(atMs, seeked);
}

function showPlaying() {
  const play = part("play");
  card.classList.toggle("playing", player.isPlaying);
  play.setAttribute("aria-label", player.isPlaying ? card.dataset.pause : card.dataset.play);
}

function goToTurn(step) {
  const ms = following.neighbour(player.atMs, step);
  if (ms !== undefined) player.seek(ms);
}

async function share() {
  const hash = hashOf(player.atMs);
  history.replaceState(null, "", hash);
  if (!navigator.clipboard) return say(card.dataset.shareInAddress);
  await navigator.clipboard.writeText(location.href);
  say(card.dataset.shareCopied.replace("{at}", clock(player.atMs, { tenths: true })));
}

function goToAddress() {
  const ms = momentOf(location.hash);
  if (ms !== null) player.seek(following.msOfWord(wordOf(location.hash)) ?? ms);
}

/** Once words have times, the address may lead more exactly to where it means; unless the reader has gone on already. */
async function findWords() {
  const atMs = player.atMs;
  following.setWords(await wordTimes(`/api${path}/words`, (isComing) => (part("words-coming").hidden = !isComing)));
  if (wordOf(location.hash) && player.atMs === atMs && !player.isPlaying) goToAddress();
}

async function remove(button) {
  if (!(await askReader(button.dataset.ask, button.textContent.trim(), { isDangerous: true }))) return;
  try {
    await ask("DELETE", `/api${path}`, undefined, lost);
    location.assign("/calls");
  } catch (error) {
    complain(error.message);
  }
}

async function drawWave() {
  try {
    wave.setPeaks(await ask("GET", `${path}/peaks`, undefined, card.dataset.peaksLost));
  } catch {
    complain(card.dataset.peaksLost);
  }
}

function onKey(event) {
  const { key, target } = event;
  if (event.ctrlKey || event.metaKey || event.altKey || target.closest("input, textarea, select, dialog")) return;
  if (key === " " && target.closest("button, a, summary")) return; // it presses them
  const acts = {
    " ": () => player.toggle(),
    ArrowLeft: () => player.seek(player.atMs - STEP_MS),
    ArrowRight: () => player.seek(player.atMs + STEP_MS),
    j: () => goToTurn(1),
    k: () => goToTurn(-1),
    "?": () => part("keys").showModal(),
  };
  if (!(key in acts)) return;
  event.preventDefault();
  acts[key]();
}

function onClick({ target }) {
  const button = target.closest("[data-seek]");
  if (button) {
    player.seek(Number(button.dataset.seek));
    if ("playThere" in button.dataset) player.play();
  }
  const mark = target.closest(".lane [data-n]");
  if (mark) {
    player.seek(Number(mark.dataset.from));
    inspector.show(mark);
  }
}

tracks.wave = wave;
tracks.fit();
player.addEventListener("moved", ({ detail }) => showMoment(detail.atMs, detail.seeked));
for (const name of ["played", "paused"]) player.addEventListener(name, showPlaying);
player.addEventListener("failed", () => complain(card.dataset.playFailed));
document.addEventListener("keydown", onKey);
document.addEventListener("click", onClick);
addEventListener("hashchange", goToAddress);
part("previous").addEventListener("click", () => goToTurn(-1));
part("next").addEventListener("click", () => goToTurn(1));
part("play")?.addEventListener("click", () => player.toggle());
part("speed")?.addEventListener("change", ({ target }) => player.setSpeed(Number(target.value)));
part("share").addEventListener("click", share);
part("show-keys").addEventListener("click", () => part("keys").showModal());
const removal = part("delete");
if (removal) {
  removal.hidden = false;
  removal.addEventListener("click", () => remove(removal));
}
const more = part("more");
if (more) moreLines(more, part("happened-lines"), part("happened-line"), part("happened").dataset.path, trouble);
new Reviewing(part("review"), `/api${path}`, trouble);
goToAddress();
if (part("audio")) {
  drawWave();
  findWords();
} else wave.redraw();
