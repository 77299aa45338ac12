// What waits for a person, kept current in the sidebar and the title; and the keys as this machine calls them.
const EVERY = 15_000;
const title = document.title.replace(/^\(\d+\) /, "");
const said = document.querySelector("[data-announce]");
let shown = Number(document.querySelector("[data-count]").textContent), timer = 0;

function show(waiting) {
  for (const place of document.querySelectorAll("[data-waiting]")) place.hidden = !waiting;
  for (const place of document.querySelectorAll("[data-count]")) place.textContent = waiting;
  document.title = waiting ? `(${waiting}) ${title}` : title;
  if (waiting > shown) said.textContent = `${waiting} ${waiting === 1 ? "approval waits" : "approvals wait"} for you.`;
  shown = waiting;
}

async function count() {
  clearTimeout(timer);
  if (document.hidden) return; // counted at once when it is looked at again
  try {
    const answer = await fetch("/api/v1/approvals?status=pending&limit=99");
    if (answer.status === 401) return; // signed out: nothing is ours to count
    if (answer.ok) show((await answer.json()).data.length);
  } catch { /* offline: the next round tells */ }
  timer = setTimeout(count, EVERY);
}

/** What was agreed to in the panel shows on the page beside it. */
async function renew({ detail, target }) {
  const main = document.getElementById("main");
  if (detail.status !== "done" || main.contains(target) || main.contains(document.activeElement)) return;
  const answer = await fetch(location.href).catch(() => null);
  if (!answer?.ok || answer.redirected) return;
  main.replaceWith(new DOMParser().parseFromString(await answer.text(), "text/html").getElementById("main"));
}

if (/Mac|iPhone|iPad/.test(navigator.platform)) {
  for (const key of document.querySelectorAll("kbd[data-key]")) key.textContent = `⌘${key.dataset.key}`;
}
document.addEventListener("adwright:approvals", count);
document.addEventListener("approval-settled", (event) => (count(), renew(event)));
document.addEventListener("visibilitychange", count);
timer = setTimeout(count, EVERY);
