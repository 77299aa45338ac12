// The public API as the panel speaks it: JSON in its envelope, failures in the one shape, and a conversation's events,
// each exactly once and in order, over as many connections as it takes.
const PREFIX = "/api/v1";
const SILENCE_MS = 40_000; // the server gives a sign every 15 seconds
const LONGEST_PAUSE_MS = 15_000;
const BROKEN = { code: "unreachable", message: "The connection broke off.", fix: "Try again; nothing is asked twice." };
const LOST = {
  code: "unreachable",
  message: "Adwright cannot be reached.",
  fix: "Check your connection, then try again.",
};

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
    code: "internal",
    message: `The server answered ${answer.status}.`,
    fix: "Try again in a moment.",
    ...(waits && { retryAfter: waits }),
    ...said,
  });
}

export const posting = (body, headers = {}) => ({
  method: "POST",
  headers: { "content-type": "application/json", ...headers },
  body: JSON.stringify(body),
});

export async function ask(method, path, body) {
  const answer = await request(path, body ? { ...posting(body), method } : { method });
  return answer.json();
}

export const newKey = () => crypto.getRandomValues(new Uint32Array(4)).join("-"); // randomUUID wants a secure page

/** Events out of pieces of text, however they are cut. */
export class Parser {
  #rest = "";

  push(text) {
    const blocks = (this.#rest + text).replaceAll("\r\n", "\n").split("\n\n");
    this.#rest = blocks.pop();
    return blocks.map(event).filter(Boolean);
  }
}

function event(block) {
  const found = { id: 0, name: "message", data: "" };
  for (const line of block.split("\n")) {
    const at = line.indexOf(":");
    const [field, value] = [line.slice(0, at), line.slice(at + 1).replace(/^ /, "")];
    if (field === "id") found.id = Number(value);
    else if (field === "event") found.name = value;
    else if (field === "data") found.data += value;
  }
  return found.data && { ...found, data: JSON.parse(found.data) };
}

export class Conversation {
  #reading;
  #wake;
  #left = false;
  #asking = false;

  /** `on`: event(name, data, id), link(state), over(), refused(error), moved(id): it goes on in another one, from there. */
  constructor(id, on) {
    Object.assign(this, { id, on, last: 0, running: false, waiting: false, run: null });
  }

  get open() {
    return this.running || this.waiting;
  }

  /** Asks, and follows the answer to its end. Throws Refused where no event came. */
  async ask(surface, body, key) {
    this.#reading = new AbortController();
    this.#asking = true;
    const before = this.last;
    try {
      const answer = await request(`/${surface}/chat`, {
        ...posting(body, { "idempotency-key": key }),
        signal: this.#reading.signal,
      });
      await this.#read(answer);
    } catch (error) {
      if (this.#left) return;
      if (error instanceof Refused) throw error;
      if (this.last === before && !this.#reading.signal.aborted) throw new Refused(0, BROKEN);
    } finally {
      this.#asking = false;
    }
    if (!this.#left) await this.follow();
  }

  /** Follows for as long as a run or an approval is open; `once` looks whether one is. */
  async follow(once = false) {
    for (let attempt = 0; !this.#left && (this.open || once || attempt);) {
      once = false;
      const before = this.last;
      try {
        this.#reading = new AbortController();
        const answer = await request(`/chat/${this.id}/events`, {
          headers: { "last-event-id": String(this.last) },
          signal: this.#reading.signal,
        });
        this.on.link("live");
        if (answer.status === 204) this.running = this.waiting = false;
        else await this.#read(answer);
        attempt = 0;
      } catch (error) {
        if (this.#left) return;
        if (error.status >= 400 && error.status < 500 && error.status !== 429) return this.on.refused(error);
        attempt = this.last > before ? 1 : attempt + 1;
        await this.#pause(attempt, error.body?.retryAfter);
      }
    }
    if (!this.#left) this.on.over();
  }

  /** Now, rather than when the pause is over. */
  retry() {
    this.#wake?.();
  }

  leave() {
    this.#left = true;
    this.#reading?.abort();
    this.#wake?.();
  }

  async #read(answer) {
    const reader = answer.body.pipeThrough(new TextDecoderStream()).getReader();
    const parser = new Parser();
    let silence;
    for (;;) {
      clearTimeout(silence);
      silence = setTimeout(() => this.#reading.abort(), SILENCE_MS);
      const { done, value } = await reader.read().catch((error) => {
        clearTimeout(silence);
        throw error;
      });
      if (done || this.#left) break;
      parser.push(value).forEach((told) => this.#take(told));
    }
    clearTimeout(silence);
  }

  #take({ id, name, data }) {
    if (this.#reading.signal.aborted) return;
    if (name === "run_started" && data.conversationId !== this.id) {
      const before = this.id;
      this.id = data.conversationId;
      if (before) return this.#again(0, id);
    } else if (id <= this.last) {
      return;
    } else if (this.#asking && id > this.last + 1) {
      return this.#again(this.last, this.last ? 0 : id); // something happened before that is not shown here yet
    }
    this.last = id;
    if (name === "run_started") [this.running, this.waiting] = [true, false];
    if (name === "done") [this.running, this.waiting] = [false, data.stopReason === "confirm_required"];
    this.on.event(name, data, id);
  }

  /** By a connection that leaves nothing out. */
  #again(after, moved) {
    if (moved) this.on.moved(moved);
    this.last = after;
    this.running = true;
    this.#reading.abort();
  }

  async #pause(attempt, seconds) {
    const most = seconds ? seconds * 1000 : Math.min(LONGEST_PAUSE_MS, 500 * 2 ** attempt);
    this.on.link(navigator.onLine ? "reconnecting" : "offline");
    await new Promise((resolve) => {
      const timer = setTimeout(resolve, most * (0.6 + Math.random() * 0.4));
      this.#wake = () => (clearTimeout(timer), resolve());
      addEventListener("online", this.#wake, { once: true });
    });
    removeEventListener("online", this.#wake);
  }
}
