// The model's Markdown as nodes: a safe subset, without images and without HTML, drawn while it still arrives.
import { become, copier, h } from "./chat-dom.js";

const INLINE =
  /\\([\\`*_{}[\]()#+\-.!|~>])|(`+)([\s\S]*?[^`])\2(?!`)|!?\[((?:\\.|[^\]\\])*)\]\(\s*<?((?:[^\s()<>]|\([^\s()]*\))*)>?(?:\s+"[^"]*")?\s*\)|\*\*(?=\S)([\s\S]*?\S)\*\*|__(?=\S)([\s\S]*?\S)__(?!\w)|~~(?=\S)([\s\S]*?\S)~~|\*(?=[^\s*])([\s\S]*?[^\s*])\*(?!\*)|(?<!\w)_(?=[^\s_])([\s\S]*?[^\s_])_(?!\w)|<?(https?:\/\/[^\s<>"')\]]*[^\s<>"')\].,;:!?*_])>?/g;
const NUMERIC = /^[-+−≈~]?\s*(?:[$€£¥]|[A-Z]{3}\s)?\s*[-+−]?\d[\d,.\s]*\s*(?:%|[kKMx×]|[A-Z]{3}|s|ms)?$/;
const SEPARATOR = /^\s*\|?\s*:?-+:?\s*(?:\|\s*:?-+:?\s*)*\|?\s*$/;
const ITEM = /^(\s*)([-*+]|\d{1,9}[.)])\s+(.*)$/;
const FENCE = /^\s*(```+|~~~+)\s*([\w+-]*)\s*$/;
const HEADING = /^\s{0,3}(#{1,6})\s+(.*?)\s*#*\s*$/;
const RULE = /^\s{0,3}(?:(?:-\s*){3,}|(?:\*\s*){3,}|(?:_\s*){3,})$/;
const DEEPEST = 12;
const LONGEST = 20_000;

export const numeric = (text) => NUMERIC.test(text.trim()) || ["", "—", "-", "–", "n/a"].includes(text.trim());

function inline(text, depth = 0) {
  if (depth > DEEPEST || text.length > LONGEST) return [text];
  const made = [];
  let at = 0;
  for (const found of text.matchAll(INLINE)) {
    const [whole, escaped, , code, label, target, bold, strong, struck, em, emphasis, address] = found;
    if (found.index > at) made.push(text.slice(at, found.index));
    at = found.index + whole.length;
    const within = (tag, what) => h(tag, {}, ...inline(what, depth + 1));
    if (escaped) made.push(escaped);
    else if (code !== undefined) made.push(h("code", {}, code.replace(/^ (.+) $/s, "$1")));
    else if (target !== undefined)
      made.push(...(whole[0] === "!" ? [label] : link(inline(label, depth + 1), label, target)));
    else if (address) made.push(...link([address], address, address));
    else if (bold ?? strong) made.push(within("b", bold ?? strong));
    else if (struck) made.push(within("s", struck));
    else made.push(within("em", em ?? emphasis));
  }
  if (at < text.length) made.push(text.slice(at));
  return made;
}

/** Only where it leads to the web, and never without saying where. */
function link(shown, label, target) {
  let url;
  try {
    url = new URL(target);
  } catch {
    return shown;
  }
  if (!["http:", "https:"].includes(url.protocol) || url.username || url.password) return shown;
  if (shown.some((node) => node.querySelector?.("a") || node.tagName === "A")) return shown;
  const away = url.origin !== location.origin;
  const told = label === target || !away ? null : h("span", { class: "host" }, ` (${url.host})`);
  return [h("a", { href: url.href, rel: "noopener noreferrer", target: away ? "_blank" : "_self" }, ...shown, told)];
}

const cells = (line) =>
  line
    .trim()
    .replace(/^\|/, "")
    .replace(/(?<!\\)\|$/, "")
    .split(/(?<!\\)\|/)
    .map((cell) => cell.replaceAll("\\|", "|").trim());

function table(lines) {
  const [head, rule, ...rows] = lines.map(cells);
  const right = head.map(
    (_, column) =>
      (rule?.[column] ?? "").endsWith(":") || (rows.length > 0 && rows.every((row) => numeric(row[column] ?? ""))),
  );
  const made = sheet(
    head.map((cell) => inline(cell)),
    right,
    "Table",
  );
  made.add(rows.map((row) => head.map((_, column) => inline(row[column] ?? ""))));
  return made.element;
}

/** A table to which rows of cells are added; what is wider than the panel is moved by itself, by keyboard too. */
export function sheet(head, right, label) {
  const line = (tag, cells, scope) =>
    h("tr", {}, ...cells.map((cell, at) => h(tag, { class: right[at] ? "n" : undefined, scope }, cell)));
  const body = h("tbody");
  const table = h("table", {}, h("thead", {}, line("th", head, "col")), body);
  return {
    element: h("div", { class: "scroll", tabindex: "0", role: "region", "aria-label": label }, table),
    add: (rows) => body.append(...rows.map((row) => line("td", row))),
  };
}

const kind = (line) => /^\s*\d/.test(line);

function list(lines, live) {
  const [, indent, mark] = ITEM.exec(lines[0]);
  const ordered = kind(lines[0]);
  const items = [];
  for (const line of lines) {
    const found = ITEM.exec(line);
    if (found && found[1].length <= indent.length + 1) items.push([found[3]]);
    else items.at(-1).push(line.slice(Math.min(indent.length + 2, line.search(/\S|$/))));
  }
  const made = items.map(([first, ...rest]) => {
    const nested = rest.findIndex((line) => ITEM.test(line));
    const [own, below] = nested < 0 ? [rest, []] : [rest.slice(0, nested), rest.slice(nested)];
    const text = [first, ...own].join("\n").trim();
    return h("li", {}, ...inline(live ? closed(text) : text), ...drawn(below.join("\n"), live));
  });
  return h(ordered ? "ol" : "ul", { start: ordered && parseInt(mark) !== 1 ? parseInt(mark) : undefined }, ...made);
}

function code(lines, language) {
  const shown = h("code", {}, lines.join("\n"));
  return h(
    "figure",
    { class: "code" },
    h(
      "figcaption",
      {},
      h("span", {}, language || "code"),
      copier("Copy code", () => shown.textContent),
    ),
    h("pre", { tabindex: "0" }, shown),
  );
}

/** What opens another block, and so ends a paragraph. */
const opens = (line) =>
  !line.trim() ||
  FENCE.test(line) ||
  HEADING.test(line) ||
  RULE.test(line) ||
  ITEM.test(line) ||
  /^\s*(>|\|)/.test(line);

/** Blocks {start, draw(live)} of a source; the last `live` one may be cut in the middle of a table or an emphasis. */
export function blocks(source, live = false) {
  const lines = source.split("\n");
  const starts = [];
  for (let at = 0, offset = 0; at < lines.length; offset += lines[at++].length + 1) starts.push(offset);
  const found = [];
  for (let at = 0; at < lines.length;) {
    const first = at;
    const take = (test) => {
      while (++at < lines.length && test(lines[at], at));
      return lines.slice(first, at);
    };
    if (!lines[at].trim()) {
      at++;
      continue;
    }
    let draw;
    const fence = FENCE.exec(lines[at]);
    const heading = HEADING.exec(lines[at]);
    if (fence) {
      const inner = take((line) => !line.trim().startsWith(fence[1])).slice(1);
      at++;
      draw = () => code(inner, fence[2]);
    } else if (heading) {
      at++;
      draw = () => h(`h${Math.min(6, heading[1].length + 2)}`, {}, ...inline(heading[2]));
    } else if (RULE.test(lines[at])) {
      at++;
      draw = () => h("hr");
    } else if (
      lines[at].includes("|") &&
      (SEPARATOR.test(lines[at + 1] ?? "") ||
        (live && /^\s*\|/.test(lines[at]) && at + 2 >= lines.length && /^[\s|:-]*$/.test(lines[at + 1] ?? "")))
    ) {
      const rows = take((line) => line.includes("|"));
      draw = () => table(rows);
    } else if (ITEM.test(lines[at])) {
      const other = (line) => ITEM.test(line) && !/^\s/.test(line) && kind(line) !== kind(lines[first]);
      const taken = take(
        (line, index) =>
          !other(line) &&
          (line.trim()
            ? /^\s/.test(line) || ITEM.test(line) || !opens(line)
            : ITEM.test(lines[index + 1] ?? "") || /^\s{2,}\S/.test(lines[index + 1] ?? "")),
      );
      draw = (growing) =>
        list(
          taken.filter((line) => line.trim()),
          growing,
        );
    } else if (/^\s*>/.test(lines[at])) {
      const quoted = take((line) => /^\s*>/.test(line))
        .map((line) => line.replace(/^\s*> ?/, ""))
        .join("\n");
      draw = (growing) => h("blockquote", {}, ...drawn(quoted, growing));
    } else {
      const taken = take((line) => !opens(line))
        .join("\n")
        .trim();
      draw = (growing) => h("p", {}, ...inline(growing ? closed(taken) : taken));
    }
    found.push({ start: starts[first], draw });
  }
  return found;
}

/** All of a source; what is `live` grows at its end only. */
export function drawn(source, live = false) {
  const found = blocks(source, live);
  return found.map((block, at) => block.draw(live && at === found.length - 1));
}

/** An emphasis that is still open is drawn as if it ended here, so that its marks never flash up. */
function closed(text) {
  const plain = text.replace(/`[^`]*`/g, "");
  if (plain.includes("`")) return `${text}\``;
  const begun = text.replace(/!?\[([^\]]*)(?:\]\([^)\s]*)?$/, "$1").replace(/\s*[*_]+$/, "");
  return (begun.split("**").length - 1) % 2 ? `${begun}**` : begun;
}

/** Text as it comes: finished blocks are drawn once and left alone, the last one follows what is added. */
export class Markdown {
  #tail = "";
  #last = null;
  #frame = 0;

  constructor() {
    this.source = "";
    this.element = h("div", { class: "prose" });
  }

  push(text) {
    this.source += text;
    this.#tail += text;
    this.#frame ||= requestAnimationFrame(() => this.#draw(true));
  }

  end() {
    cancelAnimationFrame(this.#frame);
    this.#draw(false);
  }

  #draw(live) {
    this.#frame = 0;
    const found = blocks(this.#tail, live);
    const begun = found.at(-1)?.start ?? 0;
    found.forEach((block, at) => {
      const fresh = block.draw(live && at === found.length - 1);
      if (at === 0 && this.#last) become(this.#last, fresh);
      else this.element.append(fresh);
      this.#last = null;
    });
    this.#last = this.element.lastElementChild;
    this.#tail = this.#tail.slice(begun);
  }
}
