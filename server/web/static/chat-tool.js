// One call of the assistant: a line that says what and how it went, and behind it all that went in and came out.
import { ask } from "./chat-api.js";
import { ago, copier, day, h, icon, plain, spoken, words } from "./chat-dom.js";
import { problem } from "./chat-notes.js";
import { facts, isDay, isId, result } from "./chat-result.js";

const STATES = {
  running: ["loader-circle", "running"],
  waiting: ["shield-alert", "waits for your approval"],
  done: ["check", "done"],
  failed: ["circle-alert", "failed"],
  refused: ["ban", "not done"],
  stopped: ["square", "not finished"],
};

/** In a few words: the period, then what was asked for, ids last. */
function shortly({ since, until, limit, cursor, connectionId, ...rest } = {}) {
  const period = [...new Set([since, until].filter(isDay))].map(day).join(" – ");
  const others = Object.entries(rest)
    .sort(([one], [other]) => isId(one) - isId(other))
    .map(([name, value]) => {
      if (["breakdown", "by"].includes(name)) return `by ${plain(value)}`;
      return typeof value === "string" && !isId(name) ? value : `${words(name).toLowerCase()} ${plain(value)}`;
    });
  return [period, ...others].filter(Boolean).join(" · ");
}

let described;

async function operation(name) {
  described ??= ask("GET", "/openapi.json").catch((error) => {
    described = undefined;
    throw error;
  });
  for (const [path, methods] of Object.entries((await described).paths)) {
    for (const [method, found] of Object.entries(methods)) {
      if (found.operationId === name) return { path, method: method.toUpperCase(), placed: found.parameters ?? [] };
    }
  }
  throw new Error(`The API has no operation ${name}.`);
}

const quoted = (text) => `'${text.replaceAll("'", "'\\''")}'`;

/** Each argument where the API wants it: in the path, in the query, or in the body. */
async function asCurl(name, given) {
  const { path, method, placed } = await operation(name);
  const rest = { ...given };
  const take = (key) => {
    const value = plain(rest[key] ?? "");
    delete rest[key];
    return value;
  };
  const filled = path.replace(/\{(\w+)\}/g, (_, key) => encodeURIComponent(take(key)));
  const query = new URLSearchParams();
  for (const { name: key, in: where } of placed) if (where === "query" && key in rest) query.append(key, take(key));
  const reads = method === "GET";
  if (reads) for (const key of Object.keys(rest)) query.append(key, take(key));
  const url = location.origin + filled + (query.size ? `?${query}` : "");
  const body =
    reads || !Object.keys(rest).length
      ? []
      : ["-H 'Content-Type: application/json'", `-d ${quoted(JSON.stringify(rest))}`];
  return [
    `curl${reads ? "" : ` -X ${method}`} ${quoted(url)}`,
    '-H "Authorization: Bearer $ADWRIGHT_API_KEY"',
    ...body,
  ].join(" \\\n  ");
}

const asMcp = (name, given) =>
  JSON.stringify({ jsonrpc: "2.0", id: 1, method: "tools/call", params: { name, arguments: given } }, null, 2);

export class ToolCard {
  #given;
  #came;
  #began = performance.now();
  #built = false;

  constructor({ toolUseId, name, title, arguments: given }, live) {
    this.#given = { name, arguments: given ?? {} };
    this.live = live;
    this.detail = h("span", { class: "detail" }, shortly(given));
    this.state = h("span", { class: "state" });
    this.body = h("div", { class: "inside" });
    this.element = h(
      "details",
      { class: "tool-call", "data-tool": name, "data-call": toolUseId, ontoggle: () => this.#open() },
      h(
        "summary",
        {},
        icon("wrench"),
        h("span", { class: "name" }, title),
        this.detail,
        this.state,
        icon("chevron-down", "turns"),
      ),
      this.body,
    );
    this.become("running");
  }

  become(state, said = "") {
    const [drawn, word] = STATES[state];
    this.element.dataset.state = state;
    this.state.replaceChildren(
      icon(drawn, state === "running" ? "spin" : ""),
      h("span", { class: "sr" }, said || word),
    );
  }

  get settled() {
    return !["running", "waiting"].includes(this.element.dataset.state);
  }

  finish({ status, summary, result: came, elapsedMs, cache }) {
    const took = elapsedMs ?? (this.live ? performance.now() - this.#began : undefined);
    const notes = [
      took !== undefined && spoken(took),
      cache?.hit && `cached${cache.ageSeconds ? ` ${ago(Date.now() - cache.ageSeconds * 1000)}` : ""}`,
    ].filter(Boolean);
    this.#came = { came, notes };
    const state =
      status === "ok" ? "done" : ["already_decided", "approval_expired"].includes(came?.code) ? "refused" : "failed";
    this.become(state);
    this.detail.textContent = [summary, status === "ok" && shortly(this.#given.arguments)].filter(Boolean).join(" · ");
    if (this.#built) this.#build();
  }

  #open() {
    if (this.element.open && !this.#built) this.#build();
  }

  /** Built when it is looked at: a result may have a thousand rows. */
  #build() {
    this.#built = true;
    const { name, arguments: given } = this.#given;
    const { came, notes } = this.#came ?? {};
    const part = (title, ...shown) => h("section", {}, h("h3", {}, title), ...shown);
    const answer = () =>
      came.code ? [problem({ body: came }), h("code", { class: "muted" }, came.code)] : result(came, given);
    const raw = () => h("pre", { tabindex: "0" }, JSON.stringify(came, null, 2));
    this.body.replaceChildren(
      part("Arguments", Object.keys(given).length ? facts(given) : h("p", { class: "muted small" }, "None")),
      ...(came
        ? [
            part(["Result", ...notes].join(" · "), ...answer()),
            h("details", { class: "raw" }, h("summary", {}, "Raw JSON"), raw()),
          ]
        : []),
      h(
        "p",
        { class: "copies" },
        copier("Copy as curl", () => asCurl(name, given), "Copy as curl"),
        copier("Copy as MCP call", () => asMcp(name, given), "Copy as MCP call"),
        h("code", {}, name),
      ),
    );
  }
}
