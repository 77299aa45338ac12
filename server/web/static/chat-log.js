// What was said, scrolled along with what is added until somebody scrolls up to read.
import { button, h, icon, skeletons } from "./chat-dom.js";

const NEAR = 48;

export class Log {
  #stick = true;
  #top = 0;

  constructor(open) {
    this.open = open;
    this.origin = h("p", { class: "origin", hidden: true });
    this.content = h("div", { class: "content" });
    this.log = h(
      "div",
      {
        class: "log",
        role: "log",
        "aria-live": "off",
        "aria-label": "Conversation",
        tabindex: "0",
        onscroll: () => this.#scrolled(),
      },
      this.origin,
      this.content,
    );
    this.latest = button("Go to the latest", () => this.toEnd(), { drawn: "arrow-down", kind: "latest", hidden: true });
    this.element = h("div", { class: "middle" }, this.log, this.latest);
    new ResizeObserver(() => this.#stick && this.toEnd()).observe(this.content);
    this.log.addEventListener("click", (event) => (this.#stick &&= !event.target.closest("summary"))); // what one opens stays in view
  }

  show(...shown) {
    this.busy(false);
    this.content.replaceChildren(...shown);
  }

  loading() {
    this.toEnd();
    this.show(...skeletons());
    this.busy(true);
  }

  busy(on) {
    this.log.setAttribute("aria-busy", String(on));
  }

  branchedFrom(id) {
    this.origin.hidden = !id;
    const link = h(
      "a",
      { href: `/chat/${id}`, onclick: (event) => (event.preventDefault(), this.open(id)) },
      "an earlier conversation",
    );
    this.origin.replaceChildren(...(id ? [icon("git-branch"), "Branched from ", link] : []));
  }

  toEnd() {
    this.#stick = true;
    this.log.scrollTo(0, this.log.scrollHeight);
  }

  /** Only who scrolls up wants to stay; what grows below takes everybody else along. */
  #scrolled() {
    const { scrollHeight, scrollTop, clientHeight } = this.log;
    if (scrollHeight - scrollTop - clientHeight < NEAR) this.#stick = true;
    else if (scrollTop < this.#top) this.#stick = false;
    this.#top = scrollTop;
    this.latest.hidden = this.#stick;
  }
}
