// The panel's place in the page: opened and closed from anywhere, and where the focus goes then; and the line above a
// conversation with the ways out of it.
import { button, h, icon } from "./chat-dom.js";
import { MAY } from "./chat-notes.js";

const OPEN = "adwright.panel";
const APART = "Open on a page of its own";
const root = document.documentElement;
const narrow = matchMedia("(max-width: 1023px)");

export class Frame {
  #from = null;

  /** `panel`: the element, with focus(), woken() and asked({message, surface, send, conversationId}). */
  constructor(panel) {
    this.panel = panel;
    this.fixed = panel.getAttribute("mode") === "page";
    document.addEventListener("keydown", (event) => this.#pressed(event));
    document.addEventListener("click", (event) => this.#clicked(event));
    document.addEventListener("mousedown", (event) => this.#beside(event));
    document.addEventListener("adwright:ask", ({ detail }) => this.#ask(detail));
    narrow.addEventListener("change", () => this.#tell());
    this.#tell();
  }

  get open() {
    return this.fixed || root.dataset.panel === "open";
  }

  show() {
    if (!this.open) {
      this.#from = document.activeElement;
      root.dataset.panel = "open";
      localStorage.setItem(OPEN, "open");
      this.#tell();
      this.panel.woken();
    }
    this.panel.focus();
  }

  hide() {
    if (this.fixed) return this.leave();
    root.dataset.panel = "";
    localStorage.setItem(OPEN, "");
    this.#tell();
    this.leave();
  }

  /** Back to the page; a panel that covers it gives way. */
  leave() {
    if (this.#covers) return this.hide();
    const places = [this.#from, this.#button(), document.getElementById("main")];
    places.find((each) => each?.matches("body *") && each.checkVisibility()).focus();
  }

  get #covers() {
    return narrow.matches && this.open && !this.fixed;
  }

  #button() {
    return document.querySelector("[aria-controls=assistant]");
  }

  /** What the panel covers is out of reach. */
  #tell() {
    this.#button()?.setAttribute("aria-expanded", this.open);
    for (const each of document.querySelectorAll("body > :not(dialog, chat-panel)")) each.inert = this.#covers;
  }

  #beside(event) {
    if (!this.#covers || event.target !== document.body) return;
    event.preventDefault();
    this.hide();
  }

  #pressed(event) {
    if (event.key === "Escape") this.#beside(event);
    if (!(event.metaKey || event.ctrlKey) || event.altKey || event.shiftKey || event.key.toLowerCase() !== "j") return;
    event.preventDefault();
    this.panel.contains(document.activeElement) ? this.hide() : this.show();
  }

  #clicked(event) {
    const asking = event.target.closest?.("[data-ask]");
    if (!asking) return;
    event.preventDefault();
    const { ask: message, askSurface: surface, askSend } = asking.dataset;
    if (!message && !surface) return this.open ? this.hide() : this.show();
    this.#ask({ message, surface, send: askSend !== undefined });
  }

  #ask(wish) {
    this.show();
    this.panel.asked(wish);
  }
}

/** What a conversation is about, and what the assistant may do there. */
export class Head {
  /** `on`: history(), begin(), close(). */
  constructor(fixed, on) {
    this.heading = h("h2");
    this.badge = h("span", { class: "badge" });
    this.past = button("Conversations", on.history, { drawn: "history", kind: "quiet past" });
    this.apart = h("a", { class: "quiet", "aria-label": APART, title: APART, hidden: fixed }, icon("external-link"));
    const fresh = button("New conversation", on.begin, { drawn: "square-pen" });
    const close = fixed ? null : button("Close the assistant", on.close, { drawn: "x" });
    this.element = h(
      "div",
      { class: "chat-head" },
      icon("sparkles", "mark"),
      h("div", { class: "names" }, this.heading, this.badge),
      h("div", { class: "acts" }, this.past, fresh, this.apart, close),
    );
  }

  title(text) {
    this.heading.textContent = this.heading.title = text || "New conversation";
  }

  of(id, surface) {
    this.badge.textContent = MAY[surface];
    this.apart.href = id ? `/chat/${id}` : "/chat";
  }

  expanded(on) {
    this.past.setAttribute("aria-expanded", String(on));
  }
}
