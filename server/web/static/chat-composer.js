// Where people write: nothing they typed is lost by a reload, a failure or a stop.
import { button, h, icon } from "./chat-dom.js";

const DRAFT = "adwright.draft";
const TALLEST = 220;

export class Composer {
  #editing = null;
  #page = "";
  #busy = "";
  #reason = "";

  /** `on`: send(text, replacesTurn), stop(). */
  constructor(on, { page, place }) {
    this.on = on;
    this.#page = page;
    this.field = h("textarea", {
      id: "chat-message",
      rows: 1,
      maxLength: 16000,
      "aria-label": "Message to the assistant",
      "aria-describedby": "chat-hint",
      oninput: () => this.#typed(),
      onkeydown: (event) => this.#pressed(event),
    });
    this.submit = h("button", { type: "submit", class: "send", "aria-label": "Send" }, icon("send"));
    this.halt = button("Stop", () => this.on.stop(), { drawn: "square", kind: "send halt", hidden: true });
    this.context = h(
      "span",
      { class: "chip", hidden: !page },
      `On: ${place}`,
      button(`Do not mention ${place}`, () => this.#forget(), { drawn: "x" }),
    );
    this.edited = h(
      "span",
      { class: "chip", hidden: true },
      icon("git-branch"),
      "Asks from here in a new conversation",
      button("Cancel the edit", () => this.edit(null), { drawn: "x" }),
    );
    this.element = h(
      "form",
      { class: "composer", onsubmit: (event) => (event.preventDefault(), this.#send()) },
      h("div", { class: "chips" }, this.context, this.edited),
      h("div", { class: "writing" }, this.field, this.submit, this.halt),
    );
    this.field.value = sessionStorage.getItem(DRAFT) ?? "";
    requestAnimationFrame(() => this.#typed());
  }

  get page() {
    return this.#page;
  }

  get text() {
    return this.field.value;
  }

  focus() {
    this.field.focus();
  }

  write(text) {
    this.field.value = text;
    this.#typed();
  }

  /** An earlier message, asked anew: what came after it stays where it is. */
  edit(turn) {
    if (turn && !this.#editing && this.text) this.kept = this.text;
    this.#editing = turn?.number ?? null;
    this.edited.hidden = !turn;
    this.write(turn ? turn.message : (this.kept ?? ""));
    if (!turn) this.kept = "";
    this.focus();
  }

  /** `running`, `stopping` or nothing; a `reason` forbids sending and says why. */
  become(busy, reason = "") {
    [this.#busy, this.#reason] = [busy, reason];
    this.element.dataset.state = busy || (reason ? "disabled" : "idle");
    this.submit.hidden = Boolean(busy);
    this.halt.hidden = !busy;
    this.halt.disabled = busy === "stopping";
    this.halt.ariaLabel = this.halt.title = busy === "stopping" ? "Stopping…" : "Stop";
    this.#typed();
  }

  #forget() {
    this.#page = "";
    this.context.hidden = true;
    this.focus();
  }

  #typed() {
    sessionStorage.setItem(DRAFT, this.text);
    this.submit.disabled = Boolean(this.#reason) || !this.text.trim();
    this.submit.title = this.#reason || (this.text.trim() ? "Send" : "Write something first");
    this.field.style.height = "auto";
    this.field.style.height = `${Math.min(TALLEST, this.field.scrollHeight)}px`;
  }

  #pressed(event) {
    if (event.isComposing || event.keyCode === 229) return; // Enter picks a word there
    if (event.key === "Enter" && !event.shiftKey && !event.ctrlKey && !event.altKey) {
      event.preventDefault();
      this.#send();
    } else if (event.key === "Escape" && this.#editing) {
      event.stopPropagation();
      this.edit(null);
    }
  }

  #send() {
    const text = this.text.trim();
    if (!text || this.#busy || this.#reason) return;
    const replaces = this.#editing;
    this.clear();
    this.on.send(text, replaces);
  }

  clear() {
    this.#editing = null;
    this.edited.hidden = true;
    this.write("");
  }
}
