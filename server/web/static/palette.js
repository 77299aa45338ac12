// Ctrl/⌘ K: pages, actions, conversations, websites and campaigns by a few letters of their name.
import { ask as request } from "./chat-api.js";
import { h, icon } from "./chat-dom.js";

const MOST = 6; // of a group, once something is typed
const PLATFORMS = { meta: "Meta", google: "Google Ads" };
const panel = document.getElementById("assistant");

/** How well `text` answers to what was typed: the lower the better, -1 not at all. */
function distance(text, typed) {
  const name = text.toLowerCase(), at = name.indexOf(typed);
  if (at >= 0) return at === 0 ? 0 : /[^\p{L}\p{N}]/u.test(name[at - 1]) ? 1 : 2;
  let from = 0;
  for (const letter of typed.replaceAll(" ", "")) {
    from = name.indexOf(letter, from) + 1;
    if (!from) return -1;
  }
  return 3;
}

const ask = (detail) => document.dispatchEvent(new CustomEvent("adwright:ask", { detail: { surface: panel.getAttribute("surface"), ...detail } }));
const go = (href) => () => location.assign(href);

const pages = () =>
  [...document.querySelectorAll("#sidebar li a")].map((link) => ({
    name: link.querySelector("svg").nextSibling.data.trim(),
    icon: link.querySelector("use").getAttribute("href").split("#")[1],
    run: go(link.href),
  }));

const actions = () => [
  { name: "Ask the assistant", icon: "sparkles", key: "J", run: () => ask({ message: "" }) },
  { name: "New conversation", icon: "square-pen", run: () => ask({ message: "", conversationId: null }) },
  { name: "Switch theme", icon: "sun", run: () => document.querySelector("[data-theme-switch]").click() },
  { name: "Sign out", icon: "log-out", run: () => document.querySelector("form[action='/sign-out']").requestSubmit() },
];

const SOURCES = [
  {
    title: "Conversations", address: "/chat?limit=50", search: "/chat?limit=20&q=",
    item: (each) => ({ name: each.title, icon: "message-square", hint: each.surface === "ads" ? "Ads" : "Analytics", run: () => ask({ conversationId: each.id, surface: each.surface }) }),
  },
  {
    title: "Websites", address: "/pixel/websites?limit=200",
    item: (each) => ({ name: each.name === each.domain ? each.domain : `${each.name} ${each.domain}`, icon: "globe", run: go(`/websites#${each.id}`) }),
  },
  {
    title: "Campaigns", address: "/ads/campaigns?limit=500",
    item: (each) => ({ name: each.name, icon: "megaphone", hint: PLATFORMS[each.platform], run: go(`/campaigns?q=${encodeURIComponent(each.name)}`) }),
  },
];

class Palette {
  constructor() {
    this.input = h("input", {
      type: "text", role: "combobox", placeholder: "Type a command or search…", "aria-label": "Command or search", "aria-expanded": "true",
      "aria-controls": "palette-list", "aria-autocomplete": "list", autocomplete: "off", spellcheck: "false", maxlength: "200",
    });
    this.list = h("div", { id: "palette-list", role: "listbox", "aria-label": "Results" });
    this.said = h("p", { class: "muted", role: "status" });
    this.dialog = h("dialog", { id: "palette", "aria-label": "Command palette" }, this.input, this.list, this.said);
    document.body.append(this.dialog);
    this.input.addEventListener("input", () => this.typed());
    this.dialog.addEventListener("keydown", (event) => this.key(event));
    this.dialog.addEventListener("click", (event) => (event.target === this.dialog ? this.dialog.close() : this.choose(event.target.closest("[role=option]"))));
    this.list.addEventListener("pointermove", (event) => this.mark(event.target.closest("[role=option]")));
    this.sources = SOURCES.map((source) => ({ ...source, items: [], state: "" }));
  }

  toggle() {
    if (this.dialog.open) return this.dialog.close();
    this.input.value = "";
    this.moved = null;
    this.dialog.showModal();
    this.draw();
    for (const source of this.sources) if (source.state !== "here") this.load(source, source.address);
  }

  /** Of the page's life once; what failed is tried again when the palette is opened again. */
  async load(source, address, typed = "") {
    source.state = "loading";
    try {
      const told = await request("GET", address);
      const known = new Set(source.items.map((each) => each.id));
      source.items.push(...told.data.map((row) => ({ id: row.id ?? row.campaign_id, found: typed, ...source.item(row) })).filter((each) => !known.has(each.id)));
      source.state = "here";
    } catch (problem) {
      source.state = `${source.title} cannot be loaded now${problem.lost ? "" : `: ${problem.message}`}`;
    }
    this.draw();
  }

  typed() {
    this.moved = null;
    this.draw();
    clearTimeout(this.searching);
    const text = this.input.value.trim(), [conversations] = this.sources;
    // Words said in a conversation are known to the server alone.
    if (text.length > 1) this.searching = setTimeout(() => this.load(conversations, conversations.search + encodeURIComponent(text), text.toLowerCase()), 200);
  }

  groups() {
    const text = this.input.value.trim(), typed = text.toLowerCase();
    const fixed = [["Pages", pages()], ["Actions", actions()]];
    if (!typed) return [fixed[1], fixed[0], ["Recent conversations", this.sources[0].items.slice(0, 3)]];
    const every = [...fixed, ...this.sources.map((source) => [source.title, source.items])];
    const found = every.map(([title, items]) => {
      const near = items.map((each) => [each.found === typed ? 2 : distance(each.name, typed), each]).filter(([far]) => far >= 0);
      return [title, near.sort((one, other) => one[0] - other[0]).slice(0, MOST).map(([, each]) => each), near[0]?.[0] ?? 9];
    });
    found.sort((one, other) => one[2] - other[2]);
    return [...found, ["Assistant", [{ name: `Ask “${text}”`, icon: "sparkles", run: () => ask({ message: text, send: true }) }]]];
  }

  draw() {
    this.options = [];
    const shown = this.groups().filter(([, items]) => items.length).map(([title, items], at) => {
      const label = h("p", { id: `palette-${at}`, class: "label" }, title);
      return h("div", { role: "group", "aria-labelledby": label.id }, label, ...items.map((each) => this.option(each)));
    });
    this.list.replaceChildren(...shown);
    const wanted = this.input.value.trim(), states = wanted ? this.sources.map((source) => source.state) : [];
    const failed = states.filter((state) => state && state !== "here" && state !== "loading");
    this.said.textContent = failed.length ? failed.join(" ") : states.includes("loading") ? "Loading…" : wanted && this.options.length === 1 ? "Nothing is called that." : "";
    const all = [...this.list.querySelectorAll("[role=option]")]; // what arrives late takes nobody's place away
    this.mark(all.find((option) => option.textContent === this.moved) ?? all[0]);
  }

  option(each) {
    const made = h("div", { role: "option", id: `palette-option-${this.options.length}`, "aria-selected": "false" }, icon(each.icon), h("span", {}, each.name));
    if (each.hint) made.append(h("span", { class: "muted small" }, each.hint));
    if (each.key) made.append(h("kbd", {}, document.querySelector(`kbd[data-key=${each.key}]`)?.textContent ?? ""));
    this.options.push([made, each.run]);
    return made;
  }

  mark(option) {
    if (!option || option === this.marked) return;
    this.marked?.setAttribute("aria-selected", "false");
    option.setAttribute("aria-selected", "true");
    this.input.setAttribute("aria-activedescendant", option.id);
    this.marked = option;
  }

  key(event) {
    const all = this.options.map(([option]) => option), at = all.indexOf(this.marked);
    const next = { ArrowDown: (at + 1) % all.length, ArrowUp: (at - 1 + all.length) % all.length, PageUp: 0, PageDown: all.length - 1 }[event.key];
    if (next !== undefined) {
      this.mark(all[next]);
      this.moved = this.marked.textContent;
      this.marked.scrollIntoView({ block: "nearest" });
    } else if (event.key === "Enter" && !event.isComposing) this.choose(this.marked);
    else return;
    event.preventDefault();
  }

  choose(option) {
    const chosen = this.options.find(([each]) => each === option);
    if (!chosen) return;
    this.dialog.close();
    chosen[1]();
  }
}

let palette;
const toggle = () => (palette ??= new Palette()).toggle();
document.addEventListener("click", (event) => event.target.closest?.("[data-palette]") && toggle());
document.addEventListener("keydown", (event) => {
  if (event.key.toLowerCase() !== "k" || !(event.metaKey || event.ctrlKey) || event.shiftKey || event.altKey) return;
  event.preventDefault();
  toggle();
});
