// What is said and done in a conversation, drawn event by event, the same whether it happens now or is replayed.
import { action, button, copier, h, icon, spoken } from "./chat-dom.js";
import { Markdown } from "./chat-markdown.js";
import { problem } from "./chat-notes.js";
import { ToolCard } from "./chat-tool.js";

const GO_ON = "Continue.";
const ENDED = {
  stopped: ["square", "You stopped this answer.", false],
  cap: ["clock", "This answer reached the limit of what one turn may do.", true],
  max_tokens: ["clock", "The answer became too long and was cut off.", true],
  refusal: ["ban", "The model declined to answer this.", false],
};

class Thought {
  constructor(live) {
    this.began = live && performance.now();
    this.title = h("span", {}, "Thinking…");
    this.text = h("p");
    this.element = h(
      "details",
      { class: "thought", "data-state": "live" },
      h("summary", {}, this.title, icon("chevron-down", "turns")),
      this.text,
    );
  }

  push(text) {
    this.text.append(text);
  }

  end() {
    const took = this.began && performance.now() - this.began;
    this.element.dataset.state = "done";
    this.title.textContent = took > 950 ? `Thought for ${spoken(took)}` : "Thought";
  }
}

class Turn {
  #part = null;
  #tools = new Map();
  #said = [];

  constructor(message, thread) {
    this.thread = thread;
    this.message = message;
    this.answer = h("div", { class: "answer" });
    this.words = h("p", {}, message ?? "");
    this.person = h(
      "div",
      { class: "person-said", hidden: !message },
      button("Edit this message", () => thread.on.edit(this), { drawn: "pencil" }),
      this.words,
    );
    this.foot = h(
      "p",
      { class: "turn-actions", hidden: true },
      copier("Copy answer", () => this.source),
      button("Ask the same again", () => thread.on.retry(this), { drawn: "rotate-ccw" }),
    );
    this.element = h(
      "section",
      { class: "turn", "aria-label": "You asked", "data-state": "running" },
      this.person,
      this.answer,
      this.foot,
    );
  }

  get source() {
    return this.#said.map((part) => part.source.trim()).join("\n\n");
  }

  get state() {
    return this.element.dataset.state;
  }

  begin({ turn, message }) {
    if (turn) this.element.dataset.turn = this.number = turn;
    if (message) this.words.textContent = this.message = message; // as it is stored: a secret in it is gone
    this.person.hidden = !this.message;
    this.element.setAttribute("aria-label", `You asked: ${(this.message ?? "").slice(0, 80)}`);
    this.#become("running");
  }

  say(kind, text, live) {
    if (!(this.#part instanceof kind)) {
      this.#end();
      this.#part = new kind(live);
      this.answer.append(this.#part.element);
      if (kind === Markdown) this.#said.push(this.#part);
    }
    this.#part.push(text);
  }

  use(data, live) {
    this.#end();
    if (this.#tools.has(data.toolUseId)) return;
    const card = new ToolCard(data, live);
    this.#tools.set(data.toolUseId, card);
    this.answer.append(card.element);
  }

  finished(data) {
    this.#tools.get(data.toolUseId)?.finish(data);
  }

  confirm({ toolUseId, approval }) {
    this.#end();
    const card = this.#tools.get(toolUseId);
    if (!card?.settled) card?.become("waiting");
    if (this.approval(approval.id)) return;
    const made = h("approval-card", { approval: approval.id });
    const above =
      [...this.answer.querySelectorAll(`approval-card[data-for="${CSS.escape(toolUseId)}"]`)].at(-1) ?? card?.element;
    made.dataset.for = toolUseId;
    above ? above.after(made) : this.answer.append(made);
  }

  resolved({ toolUseId, approval }) {
    this.#tools.get(toolUseId)?.become("running");
    this.approval(approval.id)?.refresh?.();
  }

  approval(id) {
    return this.answer.querySelector(`approval-card[approval="${CSS.escape(id)}"]`);
  }

  fail(body) {
    this.#end();
    this.answer.append(problem({ status: 0, body }, () => this.thread.on.retry(this)));
  }

  done({ stopReason, explanation }) {
    this.#end();
    if (stopReason === "confirm_required") return this.#become("waiting");
    this.leave();
    const [drawn, said, further] = ENDED[stopReason] ?? [];
    if (said) {
      const go =
        further && action("Continue", () => this.thread.on.ask(GO_ON));
      this.answer.append(
        h(
          "div",
          { class: "note", "data-reason": stopReason },
          icon(drawn),
          h("p", {}, said, explanation ? ` ${explanation}` : ""),
          go,
        ),
      );
    }
    this.#become(stopReason === "end_turn" ? "done" : stopReason);
  }

  /** Nothing will come any more: what waited was withdrawn, what ran was left. */
  leave() {
    this.#end();
    for (const card of this.#tools.values()) {
      if (card.settled) continue;
      card.become(card.element.dataset.state === "waiting" ? "refused" : "stopped");
      this.answer.querySelectorAll("approval-card").forEach((each) => each.refresh?.());
    }
    this.#become("done");
  }

  stopping() {
    this.#become("stopping");
  }

  #end() {
    this.#part?.end();
    this.#part = null;
  }

  #become(state) {
    this.element.dataset.state = state;
    this.foot.hidden = ["running", "waiting", "stopping"].includes(state) || (state === "error" && !this.#said.length); // there it has its button
    this.foot.firstChild.hidden = !this.#said.length;
  }
}

export class Thread {
  #turns = [];
  #expected = null;
  #used = {};

  /** `on`: say(text), used(usage), edit(turn), retry(turn), ask(text). */
  constructor(on) {
    this.on = on;
    this.element = h("div", { class: "thread" });
  }

  get empty() {
    return !this.#turns.length;
  }

  get last() {
    return this.#turns.at(-1);
  }

  clear() {
    this.#turns = [];
    this.#expected = null;
    this.element.replaceChildren();
  }

  /** The person's words, before the server has heard them. */
  expect(message) {
    this.#add(message);
    this.#expected = this.last;
  }

  /** The server has not heard them. */
  withdraw() {
    if (!this.#expected) return;
    this.#expected.element.remove();
    this.#turns.splice(this.#turns.indexOf(this.#expected), 1);
    this.#expected = null;
  }

  take(name, data, live) {
    this[`_${name}`]?.(data, live);
  }

  stopping() {
    this.last?.stopping();
  }

  #add(message) {
    const turn = new Turn(message, this);
    this.#turns.push(turn);
    this.element.append(turn.element);
    return turn;
  }

  _run_started(data, live) {
    const goesOn =
      !data.message && !this.#expected && this.last && (data.turn ?? this.last.number) === this.last.number;
    const turn = goesOn ? this.last : (this.#expected ?? this.#add(data.message));
    this.#expected = null;
    if (!goesOn) {
      this.#turns
        .slice(0, -1)
        .filter((before) => before.state === "waiting")
        .forEach((before) => before.leave());
      this.#used = {};
    }
    turn.begin(data);
    if (live) this.on.say(goesOn ? "Going on" : "Answering");
  }

  _thinking_delta({ text }, live) {
    this.last?.say(Thought, text, live);
  }

  _text_delta({ text }, live) {
    this.last?.say(Markdown, text, live);
  }

  _tool_use(data, live) {
    this.last?.use(data, live);
  }

  _tool_result(data) {
    this.last?.finished(data);
  }

  _confirm_required(data, live) {
    this.last?.confirm(data);
    if (live) this.on.say(`Approval needed: ${data.approval.plan?.summary ?? data.message}`);
    if (live) document.dispatchEvent(new CustomEvent("adwright:approvals"));
  }

  _confirm_resolved(data, live) {
    this.last?.resolved(data);
    if (live) document.dispatchEvent(new CustomEvent("adwright:approvals"));
  }

  /** A turn that waited for a person has several runs; people are told what all of them used. */
  _usage(data) {
    for (const [name, value] of Object.entries(data))
      this.#used[name] = value === null || this.#used[name] === null ? null : (this.#used[name] ?? 0) + value;
    this.on.used(this.#used);
  }

  _error(data, live) {
    this.last?.fail(data);
    if (live) this.on.say(`The answer failed: ${data.message}`);
  }

  _done(data, live) {
    this.last?.done(data);
    if (live && !["confirm_required", "error"].includes(data.stopReason))
      this.on.say(data.stopReason === "stopped" ? "Stopped" : "Done");
  }
}
