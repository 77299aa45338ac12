// What stands on a page, kept current: what waits for a person, what was agreed to, a website's first event; what can be
// copied from it; and the keys as this machine calls them.
import { ask } from "./chat-api.js";
import { become, copy } from "./chat-dom.js";

const EVERY = 15_000;
const said = document.querySelector("[data-announce]");
const main = document.getElementById("main");
let shown = Number(document.querySelector("[data-count]").textContent), waits, timer = 0;
let looks = 60; // at what awaits something, a decision or a first event: a quarter of an hour

function show(waiting) {
  for (const place of document.querySelectorAll("[data-waiting]")) place.hidden = !waiting;
  for (const place of document.querySelectorAll("[data-count]")) place.textContent = waiting;
  document.title = (waiting ? `(${waiting}) ` : "") + document.title.replace(/^\(\d+\) /, "");
  if (waiting > shown) said.textContent = `${waiting} ${waiting === 1 ? "approval waits" : "approvals wait"} for you.`;
  shown = waiting;
}

async function count() {
  clearTimeout(timer);
  if (document.hidden) return; // counted at once when it is looked at again
  try {
    const { data } = await ask("GET", "/approvals?status=pending&limit=99");
    const ids = String(data.map((each) => each.id)), others = ids !== waits && document.querySelector("[data-inbox]");
    waits = ids;
    show(data.length);
    if (others || (document.querySelector("[data-awaits]") && looks-- > 0)) await renew();
  } catch (refused) {
    if (refused.status === 401) return; // signed out: nothing is ours to count
  }
  timer = setTimeout(count, EVERY);
}

/** The page as it is now; whoever is somewhere on it stays there. */
async function renew() {
  if ("once" in main.dataset) return;
  const answer = await fetch(location.href).catch(() => null);
  if (!answer?.ok || answer.redirected) return;
  const fresh = new DOMParser().parseFromString(await answer.text(), "text/html").getElementById("main");
  const focused = document.activeElement, tools = ".top .tools"; // these tell of the panel and the keys
  fresh.querySelector(tools).replaceWith(main.querySelector(tools).cloneNode(true));
  fresh.inert = main.inert;
  become(main, document.adoptNode(fresh));
  if (focused.isConnected) return;
  (main.querySelector(`a[href="${CSS.escape(focused.getAttribute("href") ?? "")}"]`) ?? main).focus({ preventScroll: true });
}

if (/Mac|iPhone|iPad/.test(navigator.platform)) {
  for (const key of document.querySelectorAll("kbd[data-key]")) key.textContent = `⌘${key.dataset.key}`;
}
document.addEventListener("adwright:approvals", count);
document.addEventListener("approval-settled", ({ detail, target }) => {
  count();
  if (detail.status === "done" && !main.contains(target)) renew();
});
document.addEventListener("visibilitychange", count);
document.addEventListener("click", ({ target }) => {
  const pressed = target.closest?.("[data-copy]");
  if (pressed) copy(pressed, () => document.getElementById(pressed.dataset.copy).textContent, "Copy");
});
timer = setTimeout(count, EVERY);
