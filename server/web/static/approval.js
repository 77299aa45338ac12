// <approval-card approval="apr_…">: the card as the server renders it, wherever it stands, deciding through the public
// API without leaving the page. On the approval's own page it is there already, and without this script a plain form.
import { posting, request } from "./chat-api.js";
import { h } from "./chat-dom.js";

const POLL = { pending: 5000, executing: 1500 };
const left = (seconds) => (seconds > 60 ? `in ${Math.ceil(seconds / 60)} min` : `in ${seconds} s`);
const quiet = (text) => h("p", { class: "muted pad" }, text);

class ApprovalCard extends HTMLElement {
  connectedCallback() {
    if (!this.said) this.prepend((this.said = h("p", { class: "sr", role: "status" })));
    this.addEventListener("submit", this);
    this.ticking = setInterval(() => this.tick(), 1000);
    if (this.card) this.later();
    else {
      this.append(quiet("Loading the proposal…"));
      this.refresh();
    }
  }

  disconnectedCallback() {
    clearInterval(this.ticking);
    clearTimeout(this.polling);
    this.removeEventListener("submit", this);
  }

  get approval() { return this.getAttribute("approval"); }
  get card() { return this.querySelector("article"); }

  async refresh() {
    clearTimeout(this.polling);
    try {
      const answer = await fetch(`/approvals/${this.approval}/card`, { headers: { accept: "text/html" } });
      if (answer.redirected) this.instead("You are signed out.", "Sign in again", `/sign-in?next=${encodeURIComponent(location.pathname)}`);
      else if (answer.status === 404) this.instead("This approval is not in this workspace (any more).");
      else if (answer.ok) this.show(await answer.text());
    } catch {
      if (!this.card) this.replaceChildren(this.said, quiet("The proposal cannot be loaded now; it is tried again."));
    }
    this.later();
  }

  later() {
    clearTimeout(this.polling);
    const wait = this.ended ? 0 : this.card ? POLL[this.card.dataset.status] : POLL.pending;
    if (wait && this.isConnected) this.polling = setTimeout(() => (document.hidden || this.deciding ? this.later() : this.refresh()), wait);
  }

  show(html) {
    const fresh = new DOMParser().parseFromString(html, "text/html").querySelector("article"), before = this.card;
    if (!fresh || fresh.dataset.status === before?.dataset.status) return;
    const focused = before?.contains(document.activeElement) || this.deciding;
    if (before) before.replaceWith(document.adoptNode(fresh));
    else this.replaceChildren(this.said, document.adoptNode(fresh));
    if (!before) return;
    this.said.textContent = fresh.dataset.says;
    if (focused) fresh.querySelector("h2").focus();
    const detail = { id: this.approval, status: fresh.dataset.status };
    if (!(detail.status in POLL)) this.dispatchEvent(new CustomEvent("approval-settled", { bubbles: true, detail }));
  }

  /** In place of a card that cannot be shown, or, where there is one, below what it asks. */
  instead(text, link, href) {
    this.ended = true;
    const told = h("p", { class: "notice bad", role: "alert" }, h("span", {}, text, " ", link && h("a", { href }, link)));
    const foot = this.card?.querySelector("footer");
    if (foot) foot.replaceChildren(told);
    else this.replaceChildren(this.said, told);
  }

  handleEvent(event) {
    if (!event.target.dataset.decide) return;
    event.preventDefault();
    if (!this.deciding) this.decide(event.target);
  }

  async decide(form) {
    const body = {};
    for (const [name, value] of new FormData(form)) {
      if (value.trim()) body[name] = name === "amount" ? Number(value) : value.trim();
    }
    this.busy(true);
    try {
      await request(`/approvals/${this.approval}/${form.dataset.decide}`, posting(body, { "if-match": `"${this.card.dataset.digest}"` }));
      await this.refresh();
    } catch (refused) {
      if (refused.lost) return this.complain("The answer was lost on the way. Reload to see what became of it before you decide again.");
      await this.refresh();
      this.complain(`${refused.message} ${refused.body.fix ?? ""}`);
    } finally {
      this.busy(false);
      this.later();
    }
  }

  busy(on) {
    this.deciding = on;
    this.card.toggleAttribute("data-busy", on);
    this.card.setAttribute("aria-busy", on);
    if (on) this.said.textContent = "Working on it.";
  }

  complain(text) {
    const problem = this.querySelector("[data-problem]");
    if (!problem) return;
    problem.querySelector("span").textContent = text;
    problem.hidden = false;
    (this.querySelector("[name=amount]") ?? this.querySelector(".actions button"))?.focus();
  }

  tick() {
    const shown = this.querySelector("[data-countdown]");
    if (!shown) return;
    const seconds = Math.max(0, Math.round((new Date(shown.dateTime) - Date.now()) / 1000));
    shown.textContent = left(seconds);
    if (!seconds && !this.lapsed && !this.deciding) this.lapsed = this.refresh();
  }
}

customElements.define("approval-card", ApprovalCard);
