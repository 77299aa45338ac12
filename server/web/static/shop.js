/* The made-up shop: pages change in place, as in an app, and what the tracking script sends is shown. */
"use strict";

// What is told before the script has loaded waits in a queue, as the install snippet has it.
window.adwright = window.adwright || function () { (window.adwright.q = window.adwright.q || []).push(arguments); };

const CART = "shop-cart";
const cart = () => JSON.parse(sessionStorage.getItem(CART) || "[]");
const total = () => cart().reduce((sum, item) => sum + item.price, 0);

function tell(event, status) {
  const list = document.getElementById("sent");
  list.querySelector(".muted")?.remove();
  const what = event.n || (event.a ? `${event.a} ${event.c}` : "");
  const item = document.createElement("li");
  item.textContent = `${event.k} ${what} ${new URL(event.u).pathname} → ${status}`;
  list.append(item);
}

const plain = window.fetch.bind(window);
window.fetch = (address, options) => {
  const answering = plain(address, options);
  if (options?.keepalive) {
    const event = JSON.parse(options.body);
    answering.then((answer) => tell(event, answer.status), () => tell(event, "not sent"));
  }
  return answering;
};

function furnish() {
  const count = cart().length;
  document.getElementById("in-cart").textContent = count ? `(${count})` : "";
  const sum = document.getElementById("total"), pay = document.getElementById("pay");
  if (!sum) return;
  sum.textContent = count ? `${cart().map((item) => item.slug).join(", ")}: $${total()}` : sum.dataset.empty;
  pay.disabled = !count;
}

async function show(href, push) {
  const answer = await plain(href);
  const page = new DOMParser().parseFromString(await answer.text(), "text/html");
  document.getElementById("main").replaceWith(page.getElementById("main"));
  document.title = page.title;
  if (push) history.pushState(null, "", href);
  furnish();
  document.getElementById("main").focus();
}

document.addEventListener("click", (event) => {
  const link = event.target.closest("a[href]"), add = event.target.closest("[data-add]"), pay = event.target.closest("#pay");
  if (link && link.origin === location.origin && link.pathname.startsWith("/demo/shop") && !event.metaKey && !event.ctrlKey) {
    event.preventDefault();
    show(link.href, true);
  } else if (add) {
    sessionStorage.setItem(CART, JSON.stringify([...cart(), { slug: add.dataset.add, price: Number(add.dataset.price) }]));
    furnish();
  } else if (pay) {
    const bytes = crypto.getRandomValues(new Uint32Array(2));
    window.adwright("payment", { amount: total(), currency: "USD", transaction_id: `shop-${bytes.join("-")}` });
    sessionStorage.removeItem(CART);
    show(pay.dataset.thanks, true);
  }
});

document.addEventListener("submit", (event) => {
  event.preventDefault();
  document.getElementById("signed-up").hidden = false;
});

window.addEventListener("popstate", () => show(location.href, false));
furnish();
