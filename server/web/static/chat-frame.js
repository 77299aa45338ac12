// The panel's place in the page: opened and closed from anywhere, by keyboard too, and where the focus goes then.
const OPEN = "adwright.panel";
const root = document.documentElement;
const covers = matchMedia("(max-width: 900px)");

export class Frame {
  #from = null;

  /** `panel`: the element, with focus(), woken() and asked({message, surface, send, conversationId}). */
  constructor(panel) {
    this.panel = panel;
    this.fixed = panel.getAttribute("mode") === "page";
    this.leaving = new AbortController();
    const listen = (target, name, heard) => target.addEventListener(name, heard, { signal: this.leaving.signal });
    listen(document, "keydown", (event) => this.#pressed(event));
    listen(document, "click", (event) => this.#clicked(event));
    listen(document, "adwright:ask", ({ detail }) => this.#ask(detail ?? {}));
    listen(covers, "change", () => this.#cover());
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
    if (this.fixed) return;
    root.dataset.panel = "";
    localStorage.setItem(OPEN, "");
    this.#tell();
    this.leave();
  }

  /** Back to the page; a panel that covers it gives way. */
  leave() {
    if (covers.matches && this.open && !this.fixed) return this.hide();
    const back =
      this.#from?.isConnected && this.#from !== document.body
        ? this.#from
        : (this.#button() ?? document.getElementById("main"));
    back?.focus();
  }

  #button() {
    return document.querySelector('[data-ask][aria-controls="assistant"]');
  }

  #tell() {
    this.#button()?.setAttribute("aria-expanded", String(this.open));
    this.#cover();
  }

  /** What the panel covers is out of reach. */
  #cover() {
    if (this.fixed) return;
    for (const other of document.body.children)
      if (other !== this.panel && !other.contains(this.panel)) other.inert = covers.matches && this.open;
  }

  #pressed(event) {
    if (!(event.metaKey || event.ctrlKey) || event.altKey || event.shiftKey || event.key.toLowerCase() !== "j") return;
    event.preventDefault();
    if (!this.fixed && this.open && this.panel.contains(document.activeElement)) this.hide();
    else if (this.fixed && this.panel.contains(document.activeElement)) this.leave();
    else this.show();
  }

  #clicked(event) {
    const asking = event.target.closest?.("[data-ask]");
    if (!asking) return;
    event.preventDefault();
    const { ask: message, askSurface: surface, askSend } = asking.dataset;
    if (!message && !surface) return this.open && !this.fixed ? this.hide() : this.show();
    this.#ask({ message, surface, send: askSend !== undefined });
  }

  #ask(wish) {
    this.show();
    this.panel.asked(wish);
  }
}
