// What the page asks of the server: with the session's token, and with the server's own sentence where it says no.

/** Resolves to the answer; throws an Error with a sentence for the reader. */
export async function ask(method, path, body, lost) {
  const headers = { "X-CSRF-Token": document.querySelector("meta[name=csrf-token]").content };
  if (body !== undefined) headers["Content-Type"] = "application/json";
  let answer;
  try {
    // Kept alive: a reader may leave the page at once.
    const sent = body === undefined ? undefined : JSON.stringify(body);
    answer = await fetch(path, { method, headers, body: sent, keepalive: method !== "GET" });
  } catch {
    throw new Error(lost);
  }
  if (!answer.ok) throw new Error(await sentenceOf(answer, lost));
  return answer.status === 204 ? null : answer.json();
}

async function sentenceOf(answer, lost) {
  try {
    return (await answer.json()).error.message;
  } catch {
    return lost;
  }
}
