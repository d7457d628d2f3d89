// The transcript follows the sound: the turn that is heard stands out, and in it the word; a click goes where it points.
// Until it is known when each word was said, a turn's time is spread evenly over its letters.

const MOST_LETTERS = 3000; // of a turn whose words are followed one by one
const REACHED_MS = 20; // a moment that was sought is not quite reached

export class Following {
  constructor({ list, frame, button }, player) {
    Object.assign(this, { list, frame, button, player });
    this.turns = [...list.querySelectorAll(".turn")].map((item) => new Turn(item));
    this.current = null;
    this.isFollowing = true;
    this.listen();
  }

  listen() {
    this.list.addEventListener("click", (event) => this.onClick(event));
    for (const name of ["wheel", "touchmove"]) this.frame.addEventListener(name, () => this.stopFollowing(), { passive: true });
    this.frame.addEventListener("keydown", ({ key }) => /^(Arrow(Up|Down)|Page|Home|End)/.test(key) && this.stopFollowing());
    this.button.addEventListener("click", () => this.goOnFollowing());
  }

  onClick(event) {
    const item = event.target.closest(".turn");
    if (!item || event.target.closest("button") || String(getSelection())) return;
    const turn = this.turns.find((each) => each.item === item);
    this.player.seek(turn.msAt(event));
    this.goOnFollowing();
  }

  /** When each word was said: [{index, words: [{letter, from_ms}]}], letters in code points. */
  setWords(found) {
    const words = new Map(found.map((turn) => [turn.index, turn.words]));
    for (const turn of this.turns) turn.setTimes(words.get(turn.index) ?? []);
    this.list.querySelector("#said")?.toggleAttribute("data-has-words", found.length > 0);
    this.current?.mark(this.player.atMs);
  }

  /** When a word was said, as an address names it ({turn, letter}); undefined where that is not known. */
  msOfWord(word) {
    const turn = word && this.turns.find((each) => each.index === word.turn);
    return turn?.times.length ? turn.msOf(unitsIn(turn.text, word.letter)) : undefined;
  }

  stopFollowing() {
    if (this.frame.scrollHeight <= this.frame.clientHeight) return;
    this.isFollowing = false;
    this.button.hidden = false;
  }

  goOnFollowing() {
    this.isFollowing = true;
    this.button.hidden = true;
    this.scroll();
  }

  moveTo(atMs, seeked) {
    const found = this.turnAt(atMs);
    if (found !== this.current) {
      this.current?.leave();
      this.current = found;
      found?.enter();
      if (this.isFollowing) this.scroll();
    } else if (seeked && this.isFollowing) this.scroll();
    this.current?.mark(atMs);
  }

  /** The one that began last of those that are being heard. */
  turnAt(atMs) {
    for (let at = this.lastBegun(atMs); at >= 0 && at > this.lastBegun(atMs) - 4; at -= 1) {
      if (atMs < this.turns[at].toMs) return this.turns[at];
    }
    return null;
  }

  lastBegun(atMs) {
    let [low, high] = [0, this.turns.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.turns[middle].fromMs <= atMs) low = middle + 1;
      else high = middle;
    }
    return low - 1;
  }

  scroll() {
    if (!this.current) return;
    const { item } = this.current;
    const top = item.offsetTop - this.frame.offsetTop;
    const isSeen = top >= this.frame.scrollTop && top + item.offsetHeight <= this.frame.scrollTop + this.frame.clientHeight;
    if (isSeen) return;
    const behavior = matchMedia("(prefers-reduced-motion: reduce)").matches ? "auto" : "smooth";
    this.frame.scrollTo({ top: top - this.frame.clientHeight / 3, behavior });
  }

  /** Where the next turn begins, or the one before; for keys and buttons. */
  neighbour(atMs, step) {
    if (step > 0) return this.turns.find((turn) => turn.fromMs > atMs + 50)?.fromMs;
    return this.turns.findLast((turn) => turn.fromMs < atMs - 900)?.fromMs ?? (this.turns.length ? this.turns[0].fromMs : undefined);
  }
}

class Turn {
  constructor(item) {
    this.item = item;
    this.heard = item.querySelector(".heard");
    this.index = Number(item.dataset.index);
    this.fromMs = Number(item.dataset.from);
    this.toMs = Number(item.dataset.to);
    this.times = [];
    this.words = null;
    this.word = null;
  }

  get text() {
    return this.heard.textContent;
  }

  setTimes(words) {
    const { text } = this;
    this.times = words.map(({ letter, from_ms }) => ({ letter: unitsIn(text, letter), fromMs: from_ms }));
  }

  enter() {
    this.item.setAttribute("aria-current", "true");
    const { text } = this;
    if (text.length > MOST_LETTERS) return;
    this.words = [];
    this.heard.replaceChildren(
      ...text.split(/(\s+)/).map((piece) => {
        if (!piece.trim()) return document.createTextNode(piece);
        const word = document.createElement("span");
        word.className = "word";
        word.textContent = piece;
        this.words.push(word);
        return word;
      }),
    );
  }

  leave() {
    this.item.removeAttribute("aria-current");
    this.heard.textContent = this.heard.textContent;
    this.words = this.word = null;
  }

  mark(atMs) {
    if (!this.words?.length) return;
    const letter = this.letterAt(atMs);
    let begins = 0;
    let found = this.words[0];
    for (let node = this.heard.firstChild; node && begins <= letter; node = node.nextSibling) {
      if (node.nodeType === Node.ELEMENT_NODE) found = node;
      begins += node.textContent.length;
    }
    if (found === this.word) return;
    this.word?.classList.remove("now");
    this.word = found;
    found.classList.add("now");
  }

  letterAt(atMs) {
    if (this.times.length) return (this.times.findLast(({ fromMs }) => fromMs <= atMs + REACHED_MS) ?? this.times[0]).letter;
    const share = (atMs - this.fromMs) / Math.max(1, this.toMs - this.fromMs);
    return share * this.text.length + 0.5; // a moment that was sought is not quite reached
  }

  /** When the word that begins at a letter was said. */
  msOf(letter) {
    const { times, text, fromMs, toMs } = this;
    if (!times.length) return fromMs + ((toMs - fromMs) * letter) / Math.max(1, text.length);
    const word = times.findLast((each) => each.letter <= letter) ?? times[0];
    return Math.max(fromMs, Math.min(word.fromMs, toMs - 1));
  }

  /** When the word at which the pointer is sounded. */
  msAt(event) {
    const letter = letterAt(this.heard, event.clientX, event.clientY);
    if (letter === null) return this.fromMs;
    const { text } = this;
    return this.msOf(Math.max(text.lastIndexOf(" ", letter - 1), text.lastIndexOf("\n", letter - 1)) + 1);
  }
}

/** How many of JavaScript's units so many letters (code points) at the beginning of a text take. */
function unitsIn(text, letters) {
  let units = 0;
  for (let at = 0; at < letters && units < text.length; at += 1) units += text.codePointAt(units) > 0xffff ? 2 : 1;
  return units;
}

/** Which letter of an element's text is at a place on the screen; null for none of it. */
function letterAt(element, x, y) {
  const caret = document.caretPositionFromPoint?.(x, y);
  const range = caret ? null : document.caretRangeFromPoint?.(x, y);
  const node = caret?.offsetNode ?? range?.startContainer;
  const offset = caret?.offset ?? range?.startOffset;
  if (!node || !element.contains(node)) return null;
  const before = document.createRange();
  before.setStart(element, 0);
  before.setEnd(node, offset);
  return before.toString().length;
}
