// A failure as people can act on it: what happened, what to do, and the button or link that does it.
import { button, h, icon } from "./chat-dom.js";

const RECONNECT = ["reauth_required", "credentials_unreadable", "account_blocked"];

/** A button that says how long it has to wait, and waits that long. */
function patiently(label, seconds, onclick) {
  const made = h("button", { type: "button", class: "button", onclick }, label);
  let left = Math.ceil(seconds ?? 0);
  const tick = () => {
    made.disabled = left > 0;
    made.textContent = left > 0 ? `${label} in ${left} s` : label;
    if (left-- > 0 && (made.isConnected || left > seconds - 2)) setTimeout(tick, 1000);
  };
  tick();
  return made;
}

const signIn = () => h("a", { class: "button", href: `/sign-in?next=${encodeURIComponent(location.pathname + location.search)}` }, "Sign in");

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
  else if (RECONNECT.includes(code)) ways.push(h("a", { class: "button", href: `/integrations${connectionId ? `?connection=${connectionId}` : ""}` }, "Reconnect"));
  if (retry && !out && code !== "quota_exceeded") ways.push(patiently("Retry", retryAfter, retry));
  return h("div", { class: "problem", "data-code": code ?? "internal" }, icon("circle-alert"), h("div", {},
    h("p", {}, out ? "You were signed out." : message),
    !out && fix ? h("p", { class: "fix" }, fix) : null,
    ways.length ? h("p", { class: "ways" }, ...ways) : null));
}

const LINK = {
  reconnecting: ["loader-circle", "Connection lost. Reconnecting…"],
  offline: ["wifi-off", "You are offline. The answer goes on without you and is shown when you are back."],
};

/** The state of a connection in words, nothing where it is as it should be. */
export function linked(state, retry) {
  const [drawn, text] = LINK[state] ?? [];
  return text ? [icon(drawn, drawn === "loader-circle" ? "spin" : ""), h("span", {}, text), button("Retry now", retry, { shown: "Retry now", kind: "text" })] : [];
}
