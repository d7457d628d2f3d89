// The page that lies in a call's zip: its buttons and its words lead to their moments, and the turn that is heard stands
// out.
// It is opened from a disk, where browsers load no modules: so it is one plain script that needs no other.

{
  const audio = document.getElementById("audio");
  const turns = [...document.querySelectorAll(".turn")];

  const show = () => {
    const atMs = audio.currentTime * 1000;
    for (const turn of turns) {
      const isHeard = turn.dataset.from <= atMs && atMs < turn.dataset.to;
      if (isHeard && !turn.hasAttribute("aria-current")) turn.scrollIntoView({ block: "nearest" });
      turn.toggleAttribute("aria-current", isHeard);
    }
  };

  // "0:390 6:650 …": at which letter a word begins, and when. Each becomes an element of its own.
  const splitWords = (turn) => {
    const heard = turn.querySelector(".heard");
    const letters = [...heard.textContent];
    const words = turn.dataset.words.trim().split(" ").map((word) => word.split(":").map(Number));
    const pieces = words.map(([letter, ms], at) => {
      const word = document.createElement("span");
      word.dataset.seek = ms;
      word.textContent = letters.slice(at ? letter : 0, words[at + 1]?.[0]).join("");
      return word;
    });
    heard.replaceChildren(...pieces);
  };

  for (const turn of turns) if (turn.dataset.words) splitWords(turn);

  document.addEventListener("click", ({ target }) => {
    const place = target.closest("[data-seek]");
    if (!place || !audio || String(getSelection())) return;
    audio.currentTime = place.dataset.seek / 1000;
    audio.play();
  });
  audio?.addEventListener("timeupdate", show);
}
