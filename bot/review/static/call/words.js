// When each word was said. The server looks for it when a call is first opened, which takes a few seconds: until then, and
// where it cannot be found, the page goes by how long the turns are.

import { ask } from "./api.js";

const FIRST_WAIT_MS = 1000;
const LONGEST_WAIT_MS = 15_000;

/** Resolves to the turns with their words, empty where nobody knows; `wait(true)` while it takes time. */
export async function wordTimes(path, wait) {
  try {
    for (let waitMs = FIRST_WAIT_MS; ; waitMs = Math.min(waitMs * 2, LONGEST_WAIT_MS)) {
      const { state, turns } = await ask("GET", path, undefined, "");
      if (state !== "coming") return turns;
      wait(true);
      await new Promise((resolve) => setTimeout(resolve, waitMs));
    }
  } catch {
    return []; // what the page then goes by is nearly as good
  } finally {
    wait(false);
  }
}
