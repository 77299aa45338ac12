// <chat-panel>: one conversation at a time, over the public API, surviving reloads, lost connections and other tabs.
import { Conversation, Refused, ask, newKey } from "./chat-api.js";
import { Composer } from "./chat-composer.js";
import { h } from "./chat-dom.js";
import { Frame, Head } from "./chat-frame.js";
import { History } from "./chat-history.js";
import { Log } from "./chat-log.js";
import { Usage, linked, problem, welcome } from "./chat-notes.js";
import { Thread } from "./chat-thread.js";

const TAB = "adwright.chat"; // the conversation of this tab
const SENDING = "adwright.sending"; // a message of which nobody knows yet whether it arrived
const TITLED_MS = 32_000; // a title is written beside the first answer, in 30 seconds or never
const stored = (key) => JSON.parse(sessionStorage.getItem(key) ?? "null");
const store = (key, value) =>
  value ? sessionStorage.setItem(key, JSON.stringify(value)) : sessionStorage.removeItem(key);

class ChatPanel extends HTMLElement {
  #conversation = null;
  #surface;
  #liveAfter = 0;
  #stopping = false;
  #awake = false;

  connectedCallback() {
    if (this.frame) return;
    this.#surface = this.getAttribute("surface") || "ads";
    this.model = this.getAttribute("model");
    this.frame = new Frame(this);
    this.#build();
    this.tabs = new BroadcastChannel("adwright.chat");
    this.tabs.onmessage = ({ data }) => data === this.#conversation?.id && this.#look();
    for (const name of ["online", "offline"]) addEventListener(name, () => this.#online(name === "online"));
    document.addEventListener("visibilitychange", () => document.hidden || this.#look());
    if (this.frame.fixed)
      addEventListener("popstate", () => this.#open(location.pathname.split("/")[2] ?? null, false));
    if (this.frame.open) this.woken();
  }

  #build() {
    const fixed = this.frame.fixed;
    const place = document.querySelector("main h1")?.textContent.trim() || "this page";
    const page = fixed ? "" : this.getAttribute("page");
    this.thread = new Thread({
      say: (text) => this.#say(text),
      used: (usage) => this.usage.show(usage),
      ask: (text) => this.#send(text),
      edit: (turn) => this.composer.edit(turn),
      retry: (turn) => this.#send(turn.message, turn.number, false),
    });
    this.composer = new Composer(
      {
        send: (text, replaces) => this.#send(text, replaces),
        stop: () => this.#stop(),
      },
      { page, place },
    );
    this.history = new History({
      open: ({ id }) => this.#open(id),
      gone: (id) => id === this.#conversation?.id && this.#open(null),
      renamed: ({ id, title }) => id === this.#conversation?.id && this.#title(title),
    });
    this.head = new Head(fixed, {
      history: () => this.#view(this.dataset.view === "history" ? "thread" : "history"),
      begin: () => (this.#open(null), this.focus()),
      close: () => this.frame.hide(),
    });
    this.log = new Log((id) => this.#open(id));
    this.link = h("div", { class: "link", role: "status", hidden: true });
    this.notice = h("div", { class: "notices", role: "alert" });
    this.usage = new Usage();
    this.status = h("p", { class: "sr", role: "status", id: "chat-status" });
    this.replaceChildren(
      this.history.element,
      h(
        "div",
        { class: "chat" },
        this.head.element,
        this.log.element,
        this.link,
        this.notice,
        this.composer.element,
        this.usage.element,
      ),
      this.status,
    );
    this.#view("thread");
    this.addEventListener("approval-settled", ({ detail, target }) => this.#settled(detail, target));
    this.addEventListener(
      "keydown",
      (event) =>
        event.key === "Escape" && (this.dataset.view === "history" ? this.#view("thread") : this.frame.leave()),
    );
  }

  focus() {
    this.composer.focus();
  }

  /** Shown for the first time on this page. */
  woken() {
    if (this.#awake) return;
    this.#awake = true;
    const lost = stored(SENDING);
    if (lost && !this.composer.text) this.composer.write(lost.body.message);
    this.#open(this.getAttribute("conversation") ?? stored(TAB), false);
    if (this.frame.fixed) this.history.load();
    this.usage.load();
  }

  asked({ message, surface, send, conversationId }) {
    if (conversationId !== undefined) this.#open(conversationId); // null: a new one
    else if (surface && surface !== this.#surface) this.#open(null, true, surface);
    if (this.dataset.view === "history") this.#view("thread");
    if (message && send && !this.#conversation?.running && !this.#reason()) this.#send(message);
    else if (message) this.composer.write(message);
    this.focus();
  }

  /** Another conversation, or with null a new one. */
  async #open(id, push = true, surface = null) {
    this.#conversation?.leave();
    this.thread.clear();
    this.notice.replaceChildren();
    this.#surface = surface ?? (id ? this.#surface : this.getAttribute("surface") || "ads");
    this.#begin(id);
    this.#title("");
    this.log.branchedFrom(null);
    this.#view("thread");
    this.#place(push);
    if (!id) return this.#welcome();
    this.log.loading();
    const conversation = this.#conversation;
    const known = await this.#known(id).catch((error) => error);
    if (conversation !== this.#conversation) return;
    if (known instanceof Refused && !known.lost) return this.#missing(known);
    this.#liveAfter = known.lastEvent ?? 0;
    if (known.turns === 1 && Date.now() - new Date(known.createdAt) < TITLED_MS) this.#titled(id, known.title);
    this.log.show(this.thread.element);
    await conversation.follow(true);
    if (conversation === this.#conversation && this.thread.empty) this.#welcome();
  }

  async #known(id) {
    const { data } = await ask("GET", `/chat/${id}`);
    if (id !== this.#conversation?.id) return data;
    this.#surface = data.surface;
    this.#title(data.title);
    this.log.branchedFrom(data.branchedFrom);
    this.#refresh();
    return data;
  }

  /** Its first words are its title until it gets one, which nobody tells of: a few looks, then no more. */
  async #titled(id, first) {
    for (let wait = 1000; wait <= TITLED_MS && id === this.#conversation?.id; wait *= 2) {
      const known = await this.#known(id).catch(() => null);
      first ??= known?.title;
      if (known && known.title !== first) return this.history.titled(known);
      await new Promise((resolve) => setTimeout(resolve, wait));
    }
  }

  #missing(error) {
    const again = error.status !== 404 && (() => this.#open(this.#conversation.id));
    if (error.status !== 404 || this.frame.fixed) this.#refused(error, again); // nobody asked for what a tab remembers
    if (error.status !== 404) return;
    store(TAB, null);
    this.#begin(null);
    this.#welcome();
  }

  #begin(id, like = {}) {
    const ours = () => conversation === this.#conversation;
    const conversation = new Conversation(id, {
      event: (...told) => ours() && this.#event(...told),
      link: (state) => ours() && this.#linked(state),
      over: () => ours() && this.#over(),
      refused: (error) => ours() && this.#refused(error, () => this.#look()),
      moved: (at) => (this.thread.clear(), (this.#liveAfter = at - 1)),
    });
    Object.assign(conversation, { last: like.last ?? 0, waiting: like.waiting ?? false });
    this.#conversation = conversation;
    if (!id) this.#liveAfter = 0;
    this.#stopping = false;
    this.#linked("live");
    this.#refresh();
    return conversation;
  }

  #event(name, data, id) {
    const live = id > this.#liveAfter;
    if (name === "run_started") {
      store(SENDING, null);
      this.notice.replaceChildren();
      if (!this.thread.element.isConnected) this.log.show(this.thread.element);
      if (this.model === null) this.model = data.model?.name;
      this.#place(true);
      if (live) this.tabs.postMessage(data.conversationId);
      if (live && data.turn === 1) this.#titled(data.conversationId);
      if (this.#stopping) this.#stop();
    }
    this.thread.take(name, data, live);
    if (name === "done") {
      this.#stopping = false;
      if (live) this.usage.load();
    }
    if (["run_started", "done"].includes(name)) this.#refresh(); // the others come by the thousand
  }

  async #send(text, replaces = null, typed = true) {
    const before = this.#conversation;
    const page = this.composer.page;
    const body = {
      message: text,
      ...(before?.id && { conversationId: before.id }),
      ...(replaces && { replacesTurn: replaces }),
      ...(page && { page }),
    };
    const lost = stored(SENDING);
    const sending = JSON.stringify(lost?.body) === JSON.stringify(body) ? lost : { body, key: newKey() };
    store(SENDING, sending);
    this.notice.replaceChildren();
    before?.leave();
    const conversation = this.#begin(before?.id ?? null, before);
    if (!replaces) {
      this.log.show(this.thread.element);
      this.thread.expect(text);
    }
    this.log.toEnd();
    conversation.running = true;
    this.#refresh();
    try {
      await conversation.ask(this.#surface, body, sending.key);
      if (replaces) await this.#known(conversation.id).catch(() => {});
    } catch (error) {
      if (!(error instanceof Refused)) throw error;
      if (conversation === this.#conversation) await this.#unsent(error, text, replaces, typed);
    }
  }

  /** Nobody heard it: it is back where it was written, and sent again it is the same message. */
  async #unsent(error, text, replaces, typed) {
    const conversation = this.#conversation;
    conversation.running = false;
    this.thread.withdraw();
    this.#refresh();
    if (this.thread.empty && !conversation.id) this.#welcome();
    if (error.status >= 400 && error.status < 500) store(SENDING, null);
    if (typed && replaces) this.composer.edit({ number: replaces, message: text });
    else if (typed) this.composer.write([text, this.composer.text].filter(Boolean).join("\n"));
    this.#refused(error, () => {
      if (typed) this.composer.clear();
      this.#send(text, replaces, typed);
    });
    if (conversation.id) await conversation.follow(error.status === 409 || conversation.waiting);
  }

  async #stop() {
    this.#stopping = true;
    this.thread.stopping();
    this.#refresh();
    this.#say("Stopping");
    this.focus();
    if (!this.#conversation.id) return; // as soon as it has one
    try {
      await ask("POST", `/chat/${this.#conversation.id}/stop`);
    } catch (error) {
      this.#stopping = false;
      this.#refused(error, () => this.#stop());
      this.#refresh();
    }
  }

  /** Whether something runs or waits that began elsewhere. */
  #look() {
    if (this.#awake && this.#conversation?.id && !this.#conversation.open) this.#conversation.follow(true);
  }

  #over() {
    this.#linked("live");
    this.#refresh();
    if (this.frame.fixed || this.dataset.view === "history") this.history.load();
  }

  #settled({ status }, card) {
    this.#say(
      { done: "Approved and done", denied: "Denied", expired: "The approval expired" }[status] ??
        `The approval is ${status}`,
    );
    document.dispatchEvent(new CustomEvent("adwright:approvals"));
    this.#look();
    if (card.contains(document.activeElement)) this.focus();
  }

  #online(back) {
    if (back) this.#conversation?.retry();
    this.#linked(back ? "live" : "offline");
    this.#refresh();
  }

  #linked(state) {
    this.link.replaceChildren(...linked(state, () => this.#conversation.retry()));
    this.link.dataset.state = state;
    this.link.hidden = !this.link.firstChild;
  }

  #refused(error, retry) {
    this.notice.replaceChildren(problem(error, retry));
  }

  #reason() {
    if (this.model === "") return "Nobody answers yet: no model is set";
    return navigator.onLine ? "" : "You are offline";
  }

  #refresh() {
    const { running = false, waiting = false, id = null } = this.#conversation ?? {};
    this.dataset.state = running ? (this.#stopping ? "stopping" : "running") : waiting ? "waiting" : "idle";
    this.log.busy(running);
    this.composer.become(running ? this.dataset.state : "", this.#reason());
    this.composer.field.placeholder = waiting
      ? "Decide above, or ask anew…"
      : this.#surface === "ads"
        ? "Ask about campaigns or visitors…"
        : "Ask about visitors…";
    this.dataset.surface = this.#surface;
    this.head.of(id, this.#surface);
    this.history.current(id);
  }

  #welcome() {
    this.log.show(
      welcome({
        surface: this.#surface,
        page: this.getAttribute("page") || "/",
        model: this.model,
        scripted: this.hasAttribute("scripted"),
        choose: (surface) => this.#choose(surface),
      }),
    );
  }

  #choose(surface) {
    this.#surface = surface;
    this.#refresh();
    this.#welcome();
    this.querySelector(".surfaces input:checked").focus();
  }

  #title(text) {
    this.head.title(text);
    if (this.frame.fixed) document.title = `${document.title.match(/^\(\d+\) /) ?? ""}${text || "Assistant"} · Adwright`;
  }

  /** This tab's conversation, and on its own page its address. */
  #place(push) {
    const id = this.#conversation.id;
    store(TAB, id);
    if (!this.frame.fixed) return;
    const path = id ? `/chat/${id}` : "/chat";
    if (path !== location.pathname) history[push ? "pushState" : "replaceState"](null, "", path);
  }

  #view(view) {
    this.dataset.view = view;
    this.head.expanded(view === "history");
    if (view !== "history") return;
    this.history.load();
    this.history.search.focus();
  }

  #say(text) {
    this.status.textContent = text;
  }
}

customElements.define("chat-panel", ChatPanel);
