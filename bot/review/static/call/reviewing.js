// What a reviewer says of the call, saved as it is said: verdict, tags, note, and which messages were dealt with.

import { say } from "../toasts.js";
import { localTimes } from "../times.js";
import { ask } from "./api.js";

export class Reviewing {
  constructor(card, path, { lost, complain }) {
    Object.assign(this, { card, path, lost, complain });
    this.listen();
  }

  part(name) {
    return document.getElementById(name);
  }

  listen() {
    for (const button of this.card.querySelectorAll("[data-verdict]")) button.addEventListener("click", () => this.judge(button));
    this.part("tags").addEventListener("click", ({ target }) => {
      const tag = target.closest("[data-tag]");
      if (tag) this.removeTag(tag);
    });
    this.part("tag-form").addEventListener("submit", (event) => {
      event.preventDefault();
      this.addTag(event.target.elements.tag);
    });
    this.part("new-tag").addEventListener("focus", () => this.offerTags(), { once: true });
    this.part("note-form").addEventListener("submit", (event) => {
      event.preventDefault();
      this.writeNote(event.target);
    });
    for (const item of document.querySelectorAll("[data-message]")) {
      item.querySelector("[data-mark-read]").addEventListener("click", () => this.markMessage(item));
    }
  }

  async judge(button) {
    const isOn = button.getAttribute("aria-pressed") === "true";
    const verdict = isOn ? null : button.dataset.verdict;
    if (!(await this.save("PUT", `${this.path}/verdict`, { verdict }))) return;
    for (const other of this.card.querySelectorAll("[data-verdict]")) {
      other.setAttribute("aria-pressed", String(other.dataset.verdict === verdict));
    }
    this.remember("verdict", verdict ? button.textContent : this.card.dataset.saidTakenBack);
  }

  async addTag(field) {
    const tag = field.value.trim();
    const known = [...this.part("tags").querySelectorAll("button")].some((other) => other.dataset.tag === tag);
    if (!tag || known || !(await this.save("POST", `${this.path}/tags`, { tag }))) return;
    const chip = this.part("tag").content.firstElementChild.cloneNode(true);
    chip.dataset.tag = tag;
    chip.setAttribute("aria-label", chip.dataset.label.replace("{tag}", () => tag));
    chip.querySelector("bdi").textContent = tag;
    this.part("tags").append(chip);
    field.value = "";
    this.remember("tag-added", tag);
  }

  async removeTag(chip) {
    const { tag } = chip.dataset;
    if (!(await this.save("DELETE", `${this.path}/tags/${encodeURIComponent(tag)}`))) return;
    chip.remove();
    this.part("new-tag").focus();
    this.remember("tag-removed", tag);
  }

  async offerTags() {
    const { tags } = (await ask("GET", "/api/tags", undefined, this.lost).catch(() => null)) ?? { tags: [] };
    this.part("known-tags").replaceChildren(...tags.map((tag) => new Option("", tag)));
  }

  async writeNote(form) {
    const note = form.elements.note.value;
    if (!(await this.save("PUT", `${this.path}/note`, { note }))) return;
    say(form.dataset.saved);
    this.remember("note", note.slice(0, 300));
  }

  async markMessage(item) {
    const isRead = item.dataset.read !== "yes";
    if (!(await this.save("PUT", `/api/messages/${item.dataset.message}`, { is_read: isRead }))) return;
    item.dataset.read = isRead ? "yes" : "";
    const button = item.querySelector("[data-mark-read]");
    button.textContent = isRead ? button.dataset.markUnread : button.dataset.markRead;
    const flag = item.querySelector(".flag");
    flag.textContent = isRead ? flag.dataset.wordsRead : flag.dataset.wordsUnread;
    flag.className = `flag ${isRead ? "plain" : "info"}`;
    this.remember(isRead ? "message-read" : "message-unread", "");
  }

  /** Whether it was saved; if not, the reader is told why. */
  async save(method, path, body) {
    try {
      await ask(method, path, body, this.lost);
      this.complain("");
      return true;
    } catch (error) {
      this.complain(error.message);
      return false;
    }
  }

  remember(kind, value) {
    const words = this.card.dataset[`said${kind.replace(/(^|-)(.)/g, (_, __, letter) => letter.toUpperCase())}`];
    const time = document.createElement("time");
    time.dateTime = new Date().toISOString();
    time.dataset.moment = "second";
    time.className = "muted small";
    const who = document.createElement("strong");
    who.textContent = this.card.dataset.who;
    const what = document.createElement("bdi");
    what.textContent = value;
    const item = document.createElement("li");
    item.append(time, " ", who, ` ${words}${value ? ": " : ""}`, what);
    this.part("history").prepend(item);
    this.part("no-history").hidden = true;
    localTimes(item);
  }
}
