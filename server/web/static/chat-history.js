// The conversations one has had: found, opened, renamed, deleted.
import { ask } from "./chat-api.js";
import { action, ago, button, h, icon, skeletons } from "./chat-dom.js";
import { problem } from "./chat-notes.js";

const AT_ONCE = 30;
const PAUSE_MS = 250;
const STATUS = { running: ["loader-circle", "Answering", "spin"], waiting: ["shield-alert", "Waits for you", ""] };

export class History {
  #asked = 0;
  #timer;
  #cursor;
  #current = null;

  /** `on`: open(row), gone(id), renamed(row), close(). */
  constructor(on) {
    this.on = on;
    this.search = h("input", {
      type: "search",
      placeholder: "Search conversations",
      "aria-label": "Search conversations",
      oninput: () => this.#later(),
    });
    this.list = h("ul", { class: "conversations" });
    this.told = h("div", { class: "told" });
    this.more = action("Show more", () => this.load(true), { class: "button more", hidden: true });
    this.element = h(
      "section",
      { class: "history", "aria-label": "Conversations" },
      h("div", { class: "find" }, icon("search"), this.search),
      this.list,
      this.told,
      this.more,
    );
  }

  current(id) {
    this.#current = id;
    for (const each of this.list.children) each.firstChild.toggleAttribute("aria-current", each.dataset.id === id);
  }

  async load(further = false) {
    const asked = ++this.#asked;
    const query = new URLSearchParams({
      limit: AT_ONCE,
      ...(this.search.value.trim() && { q: this.search.value.trim() }),
      ...(further && { cursor: this.#cursor }),
    });
    this.element.setAttribute("aria-busy", "true");
    if (!this.list.children.length)
      this.told.replaceChildren(...skeletons());
    try {
      const { data, meta } = await ask("GET", `/chat?${query}`);
      if (asked !== this.#asked) return;
      this.#cursor = meta.next_cursor;
      const rows = data.map((row) => this.#row(row));
      further ? this.list.append(...rows) : this.list.replaceChildren(...rows);
      this.current(this.#current);
      this.more.hidden = !this.#cursor;
      this.told.replaceChildren(
        this.list.children.length
          ? ""
          : h(
              "p",
              { class: "none muted" },
              query.has("q")
                ? "No conversation has these words."
                : "Conversations appear here as soon as you ask something.",
            ),
      );
    } catch (error) {
      if (asked === this.#asked) this.told.replaceChildren(problem(error, () => this.load(further)));
    } finally {
      if (asked === this.#asked) this.element.removeAttribute("aria-busy");
    }
  }

  #later() {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.load(), PAUSE_MS);
  }

  #row(row) {
    const [drawn, word, kind] = STATUS[row.status] ?? [];
    const title = row.title || "Untitled";
    const href = `/chat/${row.id}`;
    const made = h(
      "li",
      { "data-id": row.id, "data-status": row.status },
      h(
        "a",
        {
          href,
          onclick: (event) =>
            event.metaKey || event.ctrlKey || event.shiftKey ? null : (event.preventDefault(), this.on.open(row)),
        },
        h("span", { class: "title" }, title),
        h(
          "span",
          { class: "about" },
          drawn && [h("span", { class: `state ${row.status}` }, icon(drawn, kind), word), " · "],
          row.surface === "ads" ? "Ads" : "Analytics",
          " · ",
          h("time", { dateTime: row.updatedAt }, ago(row.updatedAt)),
        ),
      ),
      h(
        "span",
        { class: "does" },
        button(`Rename ${title}`, () => this.#rename(made, row), { drawn: "pencil" }),
        button(`Delete ${title}`, () => this.#delete(row), { drawn: "trash-2" }),
      ),
    );
    return made;
  }

  #shown(id) {
    return [...this.list.children].find((each) => each.dataset.id === id);
  }

  #redraw(shown, row) {
    const fresh = this.#row(row);
    shown.replaceWith(fresh);
    this.current(this.#current);
    return fresh;
  }

  /** It has another title: whoever is on it stays there, and who is just writing one goes on. */
  titled(row) {
    const shown = this.#shown(row.id);
    if (!shown || shown.querySelector("form")) return;
    const at = [...shown.querySelectorAll("a, button")].indexOf(document.activeElement);
    this.#redraw(shown, row).querySelectorAll("a, button")[at]?.focus();
  }

  #rename(shown, row) {
    const field = h("input", { value: row.title ?? "", maxLength: 80, "aria-label": "Title" });
    const back = (fresh = row) => this.#redraw(shown, fresh).querySelector("button").focus();
    const form = h(
      "form",
      {
        class: "rename",
        onsubmit: async (event) => {
          event.preventDefault();
          const title = field.value.trim();
          if (!title || title === row.title) return back();
          try {
            const { data } = await ask("PATCH", `/chat/${row.id}`, { title });
            const fresh = { ...row, ...data, title };
            back(fresh);
            this.on.renamed(fresh);
          } catch (error) {
            form.querySelector(".problem")?.remove();
            form.append(problem(error));
          }
        },
        onkeydown: (event) => event.key === "Escape" && (event.stopPropagation(), back()),
      },
      field,
      h("button", { class: "button" }, "Save"),
    );
    shown.replaceChildren(form);
    field.select();
  }

  #delete(row) {
    const sure = action(
      "Delete",
      async () => {
        sure.disabled = true;
        try {
          await ask("DELETE", `/chat/${row.id}`);
          dialog.close();
          this.#shown(row.id)?.remove();
          this.on.gone(row.id);
          this.search.focus();
        } catch (error) {
          sure.disabled = false;
          dialog.querySelector(".problem")?.remove();
          dialog.append(problem(error));
        }
      },
      { class: "button danger" },
    );
    const dialog = h(
      "dialog",
      {
        class: "sure",
        "aria-labelledby": "chat-sure",
        onclose: () => dialog.remove(),
        onkeydown: (event) => event.key === "Escape" && event.stopPropagation(),
      },
      h("h2", { id: "chat-sure" }, "Delete this conversation?"),
      h(
        "p",
        {},
        `“${row.title || "Untitled"}” and all that was said in it are gone for good. Changes that were made stay made.`,
      ),
      h(
        "p",
        { class: "ways" },
        action("Keep it", () => dialog.close(), { autofocus: true }),
        sure,
      ),
    );
    this.element.append(dialog);
    dialog.showModal();
  }
}
