// The public API as the panel asks it: the envelope opened, every failure in the one shape that people are shown.
const PREFIX = "/api/v1";
const LOST = { code: "unreachable", message: "Adwright cannot be reached.", fix: "Check your connection, then try again." };

export class Refused extends Error {
  constructor(status, body) {
    super(body.message);
    this.status = status;
    this.body = body;
  }

  get lost() {
    return this.status === 0;
  }
}

/** A response that is not an error; Refused with status 0 where none came. */
export async function request(path, options) {
  let answer;
  try {
    answer = await fetch(PREFIX + path, options);
  } catch (error) {
    if (error.name === "AbortError") throw error;
    throw new Refused(0, LOST);
  }
  if (answer.ok) return answer;
  const said = await answer.json().catch(() => ({}));
  const waits = Number(answer.headers.get("retry-after"));
  throw new Refused(answer.status, {
    code: "internal", message: `The server answered ${answer.status}.`, fix: "Try again in a moment.", ...(waits && { retryAfter: waits }), ...said,
  });
}

export const posting = (body, headers = {}) => ({
  method: "POST", headers: { "content-type": "application/json", ...headers }, body: JSON.stringify(body),
});

export async function ask(method, path, body) {
  const answer = await request(path, body ? { ...posting(body), method } : { method });
  return answer.json();
}

export function newKey() { // randomUUID exists only where the page is served securely
  return crypto.randomUUID?.() ?? Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, "0")).join("");
}
