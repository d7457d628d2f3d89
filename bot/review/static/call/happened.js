// Everything that happened: more of the list when it is asked for, and one thing with all its particulars.

import { ask } from "./api.js";
import { clock } from "./clock.js";

function filled(template, line) {
  const row = template.content.firstElementChild.cloneNode(true);
  row.dataset.n = line.n;
  const button = row.querySelector("[data-seek]");
  button.dataset.seek = line.at_ms;
  button.setAttribute("aria-label", button.getAttribute("aria-label").replace("0:00", clock(line.at_ms)));
  button.textContent = clock(line.at_ms);
  row.querySelector(".what").textContent = line.what;
  row.querySelector(".particulars").replaceChildren(...line.facts.map(fact));
  return row;
}

function fact([name, value]) {
  const [all, key, words] = ["span", "span", "bdi"].map((kind) => document.createElement(kind));
  all.className = "fact";
  key.className = "fact-name";
  words.className = "fact-value";
  key.textContent = name;
  words.textContent = value;
  all.append(key, " ", words);
  return all;
}

export function moreLines(button, body, template, path, { lost, complain }) {
  button.addEventListener("click", async () => {
    button.disabled = true;
    try {
      const { lines, next } = await ask("GET", `${path}?from=${button.dataset.from}`, undefined, lost);
      body.append(...lines.map((line) => filled(template, line)));
      if (next === null) button.parentElement.remove();
      else button.dataset.from = next;
    } catch (error) {
      complain(error.message);
    }
    button.disabled = false;
  });
}

/** What the marks of the lanes say when they are chosen. */
export class Inspector {
  constructor({ frame, lines, close }, path, { lost, complain }) {
    Object.assign(this, { frame, lines, path, lost, complain });
    this.chosen = null;
    close.addEventListener("click", () => this.hide());
    frame.addEventListener("keydown", ({ key }) => key === "Escape" && this.hide());
  }

  async show(mark) {
    this.chosen?.removeAttribute("aria-pressed");
    this.chosen = mark;
    mark.setAttribute("aria-pressed", "true");
    try {
      const { lines } = await ask("GET", `${this.path}?from=${mark.dataset.n}&whole`, undefined, this.lost);
      if (this.chosen !== mark) return;
      this.lines.replaceChildren(...lines.map(particulars));
      this.frame.hidden = false;
    } catch (error) {
      this.complain(error.message);
    }
  }

  hide() {
    this.frame.hidden = true;
    this.chosen?.removeAttribute("aria-pressed");
    this.chosen?.focus();
    this.chosen = null;
  }
}

function particulars(line) {
  const part = document.createElement("div");
  const title = document.createElement("p");
  title.className = "inspector-what";
  const time = document.createElement("span");
  time.className = "number muted";
  time.textContent = clock(line.at_ms, { tenths: true });
  title.append(time, " ", line.what);
  const list = document.createElement("dl");
  list.className = "inspector-facts";
  for (const [name, value] of line.facts) {
    const [term, text] = ["dt", "dd"].map((kind) => document.createElement(kind));
    term.textContent = name;
    text.textContent = indented(value);
    text.dir = "auto";
    list.append(term, text);
  }
  part.append(title, list);
  return part;
}

function indented(text) {
  if (!/^\s*[{[]/.test(text)) return text;
  try {
    return JSON.stringify(JSON.parse(text), null, 2);
  } catch {
    return text;
  }
}
