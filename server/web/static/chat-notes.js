// What the panel says by itself: who answers and what to ask them, what went wrong and what to do, what it cost.
import { ask } from "./chat-api.js";
import { action, button, dollars, h, icon, number } from "./chat-dom.js";

const SUGGESTED = {
  ads: [
    "Which campaigns waste money?",
    "How did Meta and Google compare over the last 28 days?",
    "What changed recently?",
  ],
  analytics: [
    "Where do our visitors come from?",
    "Which channels bring revenue?",
    "Do AI assistants send us visitors?",
  ],
};
const BY_PAGE = {
  "/approvals": { ads: ["What is waiting for my approval?", "What changed recently?", "Which campaigns waste money?"] },
  "/integrations": {
    ads: ["Which accounts are connected, and do they work?", "What can you do?", "Which campaigns are active?"],
  },
  "/websites": {
    analytics: [
      "How many visitors did we have over the last 28 days?",
      "Which pages are visited most?",
      "Which channels bring revenue?",
    ],
  },
};
export const MAY = { ads: "Ads · read & propose", analytics: "Analytics · read only" };
const NAMES = { ads: "Ads", analytics: "Analytics" };
const DOES = {
  ads: "Looks into campaigns, spend and results. Changes are proposed to you and made only after you approve them.",
  analytics: "Looks into visitors, sources and revenue. It cannot change anything.",
};

export function welcome({ surface, page, model, scripted, choose }) {
  const options = Object.entries(NAMES).map(([value, name]) =>
    h(
      "label",
      {},
      h("input", {
        type: "radio",
        name: "chat-surface",
        value,
        checked: value === surface,
        onchange: () => choose(value),
      }),
      name,
    ),
  );
  const suggested = (BY_PAGE[`/${page.split("/")[1]}`]?.[surface] ?? SUGGESTED[surface]).map((text) =>
    h(
      "li",
      {},
      h(
        "button",
        { type: "button", "data-ask": text, "data-ask-send": "", "data-ask-surface": surface },
        text,
        icon("arrow-up"),
      ),
    ),
  );
  const code = (text) => h("code", {}, text);
  const key = code("ANTHROPIC_API_KEY");
  const [drawn, ...said] = !model
    ? ["lock", "Nobody answers yet: set ", key, " where Adwright runs and start it again. ", code("adwright doctor"), " checks the key."]
    : scripted
      ? ["circle-help", "A scripted demo model answers here, not an AI. Set ", key, " to talk to Claude."]
      : ["sparkles", `${model} answers. Check what matters before you act on it.`];
  return h(
    "div",
    { class: "welcome" },
    h("fieldset", { class: "surfaces" }, h("legend", { class: "sr" }, "What to ask about"), ...options),
    h(
      "div",
      { class: "hello" },
      icon("sparkles"),
      h("h3", {}, surface === "ads" ? "Ask about your campaigns" : "Ask about your visitors"),
      h("p", {}, DOES[surface]),
    ),
    model ? h("ul", { class: "suggested", "aria-label": "Suggestions" }, ...suggested) : null,
    h("p", { class: "answers" }, icon(drawn), h("span", {}, ...said)),
  );
}

const RECONNECT = ["reauth_required", "credentials_unreadable", "account_blocked"];

/** A button that says how long it has to wait, and waits that long. */
function patiently(label, seconds, onclick) {
  const made = action(label, onclick);
  let left = Math.ceil(seconds ?? 0);
  const tick = () => {
    made.disabled = left > 0;
    made.textContent = left > 0 ? `${label} in ${left} s` : label;
    if (left-- > 0 && (made.isConnected || left > seconds - 2)) setTimeout(tick, 1000);
  };
  tick();
  return made;
}

const signIn = () =>
  h(
    "a",
    { class: "button", href: `/sign-in?next=${encodeURIComponent(location.pathname + location.search)}` },
    "Sign in",
  );

/** A same-origin path or a web address; anything else leads nowhere. */
function safe(target) {
  const url = new URL(target, location.origin);
  return ["http:", "https:"].includes(url.protocol) ? url.href : "/usage";
}

/** `retry` is offered where it may help. */
export function problem({ status, body }, retry) {
  const { code, message, fix, retryAfter, upsellUrl, connectionId } = body;
  const out = status === 401 || code === "session_expired";
  const ways = [];
  if (out) ways.push(signIn());
  else if (upsellUrl) ways.push(h("a", { class: "button primary", href: safe(upsellUrl) }, "See plans"));
  else if (code === "quota_exceeded") ways.push(h("a", { class: "button", href: "/usage" }, "See usage"));
  else if (RECONNECT.includes(code))
    ways.push(
      h(
        "a",
        { class: "button", href: `/integrations${connectionId ? `?connection=${connectionId}` : ""}` },
        "Reconnect",
      ),
    );
  if (retry && !out && code !== "quota_exceeded") ways.push(patiently("Retry", retryAfter, retry));
  return h(
    "div",
    { class: "problem", "data-code": code ?? "internal" },
    icon("circle-alert"),
    h(
      "div",
      {},
      h("p", {}, out ? "You were signed out." : message),
      !out && fix ? h("p", { class: "fix" }, fix) : null,
      ways.length ? h("p", { class: "ways" }, ...ways) : null,
    ),
  );
}

const LINK = {
  reconnecting: ["loader-circle", "Connection lost. Reconnecting…"],
  offline: ["wifi-off", "You are offline. Answers go on without you and are shown when you are back."],
};

/** The state of a connection in words, nothing where it is as it should be. */
export function linked(state, retry) {
  const [drawn, text] = LINK[state] ?? [];
  return text
    ? [
        icon(drawn, drawn === "loader-circle" ? "spin" : ""),
        h("span", {}, text),
        button("Retry now", retry, { shown: "Retry now", kind: "text" }),
      ]
    : [];
}

export class Usage {
  constructor() {
    this.turn = h("span", { id: "chat-hint" }, "Enter to send · Shift+Enter for a new line");
    this.month = h("a", { href: "/usage", hidden: true });
    this.element = h("div", { class: "used" }, this.turn, this.month);
  }

  show({ inputTokens = 0, outputTokens = 0, cacheReadTokens = 0, cacheWriteTokens = 0, cost }) {
    const sent = inputTokens + cacheReadTokens + cacheWriteTokens;
    if (!sent) return; // nothing was asked of the model
    const cached = `${Math.round((cacheReadTokens / sent) * 100)}% from cache`;
    this.turn.textContent = [`${number(sent + outputTokens)} tokens`, cached, typeof cost === "number" && dollars(cost)]
      .filter(Boolean)
      .join(" · ");
  }

  async load() {
    const known = await ask("GET", "/usage").catch(() => null);
    if (!known) return;
    const { cost, turns, turnsIncluded, budget } = known.data;
    const asked = `${number(turns)} ${turns === 1 ? "turn" : "turns"}`;
    this.month.hidden = false;
    this.month.textContent = `Month: ${typeof cost === "number" ? dollars(cost) : asked}`;
    this.month.title = [
      turnsIncluded ? `${number(turns)} of ${number(turnsIncluded)} turns` : asked,
      budget && `of a budget of ${dollars(Number(budget))}`,
    ]
      .filter(Boolean)
      .join(", ");
  }
}
