// The page that lies in a call's zip: its buttons lead to their moments, and the turn that is heard stands out.
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

  document.addEventListener("click", ({ target }) => {
    const button = target.closest("[data-seek]");
    if (!button || !audio) return;
    audio.currentTime = button.dataset.seek / 1000;
    audio.play();
  });
  audio?.addEventListener("timeupdate", show);
}
