// The line above a conversation: what it is about, what the assistant may do there, and the ways out of it.
import { button, h, icon } from "./chat-dom.js";
import { MAY } from "./chat-notes.js";

const APART = "Open on a page of its own";

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
    this.heading.textContent = this.heading.title = text || "Assistant";
  }

  of(id, surface) {
    this.badge.textContent = MAY[surface];
    this.apart.href = id ? `/chat/${id}` : "/chat";
  }

  expanded(on) {
    this.past.setAttribute("aria-expanded", String(on));
  }
}
