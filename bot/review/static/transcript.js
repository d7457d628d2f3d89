// What is said in a call, written down as it is said: each turn once, renewed as more of it is understood or heard.

export class Transcript {
  // `list` is filled with copies of `template`; `names` says who is who: {caller, bot}.
  constructor(list, template, names) {
    this.list = list;
    this.template = template;
    this.names = names;
    this.items = new Map();
  }

  clear() {
    this.items.clear();
    this.list.replaceChildren();
  }

  show(turn) {
    if (!turn.text) return;
    const item = this.items.get(turn.index) ?? this.added(turn);
    const { heard, unheard } = split(turn);
    item.querySelector(".heard").textContent = heard;
    item.querySelector(".unheard").textContent = unheard;
    item.classList.toggle("unfinished", turn.ended_ms === null);
    item.scrollIntoView({ block: "nearest" });
  }

  added(turn) {
    const item = this.template.content.firstElementChild.cloneNode(true);
    item.classList.add(turn.role);
    item.dataset.index = turn.index;
    item.querySelector(".turn-who").textContent = this.names[turn.role];
    this.items.set(turn.index, item);
    const later = [...this.list.children].find((other) => Number(other.dataset.index) > turn.index);
    this.list.insertBefore(item, later ?? null);
    return item;
  }
}

// A bot's words that the caller never heard stand apart, once it is known that they did not.
function split(turn) {
  if (turn.role === "caller" || turn.ended_ms === null || turn.heard_text === null) return { heard: turn.text, unheard: "" };
  const heard = turn.heard_text;
  return { heard, unheard: turn.text.startsWith(heard) ? turn.text.slice(heard.length) : "" };
}
