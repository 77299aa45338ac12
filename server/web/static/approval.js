// Decides without leaving the page: asks the public API, then shows the card as the server renders it.
// Without this script the same buttons are plain forms.
const POLL = { pending: 5000, executing: 1500 };
const find = (id) => document.getElementById(id);
const card = () => find("approval");
let deciding = false;

async function refresh() {
  const page = await fetch(location.pathname, { headers: { accept: "text/html" } });
  if (page.redirected || page.status === 404) return location.reload(); // signed out meanwhile
  const fresh = new DOMParser().parseFromString(await page.text(), "text/html").getElementById("approval");
  if (!fresh || fresh.dataset.status === card().dataset.status) return;
  const focused = card().contains(document.activeElement);
  card().replaceWith(document.adoptNode(fresh));
  find("announce").textContent = fresh.dataset.says;
  if (focused || deciding) find("title").focus();
}

function complain(text) {
  const problem = find("problem");
  if (!problem) return;
  problem.querySelector("span").textContent = text;
  problem.hidden = false;
  (find("amount") ?? document.querySelector(".actions button"))?.focus();
}

function busy(on) {
  deciding = on;
  card().toggleAttribute("data-busy", on);
  card().setAttribute("aria-busy", on);
  if (on) find("announce").textContent = "Working on it.";
}

async function decide(form) {
  const { id, digest } = card().dataset;
  const body = {};
  for (const [name, value] of new FormData(form)) {
    if (value.trim()) body[name] = name === "amount" ? Number(value) : value.trim();
  }
  busy(true);
  try {
    const answer = await fetch(`/api/v1/approvals/${id}/${form.dataset.decide}`, {
      method: "POST",
      headers: { "content-type": "application/json", "if-match": `"${digest}"` },
      body: JSON.stringify(body),
    });
    const said = await answer.json();
    await refresh();
    if (!answer.ok) complain(`${said.message} ${said.fix ?? ""}`);
  } catch {
    complain("The answer was lost on the way. Reload to see what became of it before you decide again.");
  } finally {
    busy(false);
  }
}

document.addEventListener("submit", (event) => {
  if (!event.target.dataset.decide) return;
  event.preventDefault();
  if (!deciding) decide(event.target);
});

function tick() {
  const shown = document.querySelector("[data-countdown]");
  if (!shown) return;
  const seconds = Math.max(0, Math.round((new Date(shown.dateTime) - Date.now()) / 1000));
  shown.textContent = seconds > 60 ? `in ${Math.ceil(seconds / 60)} min` : `in ${seconds} s`;
}

async function watch() {
  if (!deciding && !document.hidden) await refresh().catch(() => {});
  const pause = POLL[card().dataset.status];
  if (pause) setTimeout(watch, pause);
}

setInterval(tick, 1000);
if (card() && POLL[card().dataset.status]) setTimeout(watch, POLL.executing);
