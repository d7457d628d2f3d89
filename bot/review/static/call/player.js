// Where in the call we are. With a recording that is where its sound is; without one it is where the reader has gone.

export class Player extends EventTarget {
  /** `audio` is null where there is nothing to hear. Tells of "moved" (with `seeked`), "played", "paused" and "failed". */
  constructor(audio, lengthMs) {
    super();
    this.audio = audio;
    this.lengthMs = lengthMs;
    this.atMs = 0;
    this.wantedMs = null;
    if (audio) this.listen();
  }

  listen() {
    const { audio } = this;
    audio.addEventListener("play", () => {
      this.tell("played");
      requestAnimationFrame(() => this.tick());
    });
    for (const name of ["pause", "ended"]) audio.addEventListener(name, () => this.tell("paused"));
    audio.addEventListener("error", () => this.tell("failed"));
    audio.addEventListener("seeked", () => (this.wantedMs = null));
    // Before its length is known, an element forgets where it was told to go.
    audio.addEventListener("loadedmetadata", () => {
      if (this.wantedMs !== null) audio.currentTime = this.wantedMs / 1000;
    });
  }

  get isPlaying() {
    return this.audio !== null && !this.audio.paused && !this.audio.ended;
  }

  tick() {
    if (this.wantedMs === null) this.moveTo(Math.min(this.audio.currentTime * 1000, this.lengthMs), false);
    if (this.isPlaying) requestAnimationFrame(() => this.tick());
  }

  seek(ms) {
    const atMs = Math.max(0, Math.min(ms, this.lengthMs));
    if (this.audio) {
      this.wantedMs = atMs;
      if (this.audio.readyState > 0) this.audio.currentTime = atMs / 1000;
    }
    this.moveTo(atMs, true);
  }

  moveTo(atMs, seeked) {
    this.atMs = atMs;
    this.dispatchEvent(new CustomEvent("moved", { detail: { atMs, seeked } }));
  }

  play() {
    this.audio?.play().catch((error) => {
      if (error.name !== "AbortError") this.tell("failed");
    });
  }

  toggle() {
    if (this.isPlaying) this.audio.pause();
    else this.play();
  }

  setSpeed(speed) {
    this.audio.playbackRate = this.audio.defaultPlaybackRate = speed;
  }

  tell(name) {
    this.dispatchEvent(new Event(name));
  }
}
