// Everything the panel shows is built here, node by node: text never becomes markup.
const SVG = "http://www.w3.org/2000/svg";
const ICONS = "./icons.svg";

/** A node; strings among the attributes stay attributes, functions listen, everything else is a property. */
export function h(tag, attributes = {}, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (typeof value === "function") made.addEventListener(name.slice(2), value); // what it returns means nothing
    else if (typeof value === "string") made.setAttribute(name, value);
    else if (value !== undefined && value !== null) made[name] = value;
  }
  made.append(...children.flat().filter((child) => child !== null && child !== undefined && child !== false));
  return made;
}

export function icon(name, kind = "") {
  const drawn = document.createElementNS(SVG, "svg");
  const symbol = document.createElementNS(SVG, "use");
  drawn.setAttribute("class", `icon ${kind}`.trim());
  drawn.setAttribute("aria-hidden", "true");
  symbol.setAttribute("href", `${ICONS}#${name}`);
  drawn.append(symbol);
  return drawn;
}

export const button = (label, onclick, { drawn, shown = "", kind = "quiet", ...more } = {}) =>
  h(
    "button",
    {
      type: "button",
      class: kind,
      "aria-label": shown ? undefined : label,
      title: shown ? undefined : label,
      onclick,
      ...more,
    },
    drawn && icon(drawn),
    shown,
  );

/** Where something is about to stand. */
export const skeletons = () => [1, 2, 3].map(() => h("div", { class: "skeleton" }));

/** A button that says in words what it does. */
export const action = (shown, onclick, more = {}) =>
  h("button", { type: "button", class: "button", onclick, ...more }, shown);

/** Copies, and says so in the button for a moment. */
export async function copy(pressed, text, shown = "") {
  let copied = "Copied";
  try {
    await navigator.clipboard.writeText(await text());
  } catch {
    copied = "Could not copy";
  }
  pressed.replaceChildren(
    icon(copied === "Copied" ? "check" : "x"),
    shown && copied,
    h("span", { class: "sr", role: "status" }, copied),
  );
  setTimeout(() => pressed.replaceChildren(icon("copy"), shown), 1600);
}

export function copier(label, text, shown) {
  const made = button(label, () => copy(made, text, shown), { drawn: "copy", shown });
  return made;
}

/** Makes a drawn node like a fresh one with the fewest changes: what stays keeps its focus, selection and scroll.
 * A child with an id is found again behind others that went; what people opened stays open. */
export function become(old, fresh) {
  if (old.tagName === "DETAILS" && fresh.tagName === "DETAILS") fresh.open = old.open;
  if (old.isEqualNode(fresh)) return;
  if (!old.firstChild || !old.cloneNode().isEqualNode(fresh.cloneNode())) return old.replaceWith(fresh);
  let at = old.firstChild;
  for (const child of [...fresh.childNodes]) {
    let known = at;
    if (child.id) while (known && known.id !== child.id) known = known.nextSibling;
    if (!known || (known.id ?? "") !== (child.id ?? "")) {
      old.insertBefore(child, at);
      continue;
    }
    while (at !== known) at = gone(at);
    at = known.nextSibling;
    become(known, child);
  }
  while (at) at = gone(at);
}

function gone(node) {
  const following = node.nextSibling;
  node.remove();
  return following;
}

const DAY = new Intl.DateTimeFormat("en", { month: "short", day: "numeric", timeZone: "UTC" });
const AGO = new Intl.RelativeTimeFormat("en", { numeric: "auto", style: "narrow" });
const STEPS = [
  [60, "second"],
  [60, "minute"],
  [24, "hour"],
  [7, "day"],
  [4.35, "week"],
  [12, "month"],
  [Infinity, "year"],
];

export const number = (value, digits) =>
  value.toLocaleString("en", { minimumFractionDigits: digits, maximumFractionDigits: digits ?? 4 });
export const day = (when) => DAY.format(new Date(when));
export const dollars = (value) => (value > 0 && value < 0.01 ? "< $0.01" : `$${value.toFixed(2)}`);
export const plain = (value) => (typeof value === "object" ? JSON.stringify(value) : String(value));
export const spoken = (milliseconds) =>
  milliseconds < 1000
    ? `${Math.round(milliseconds)} ms`
    : `${(milliseconds / 1000).toFixed(milliseconds < 10000 ? 1 : 0)} s`;
export const words = (name) =>
  name
    .replace(/([a-z])([A-Z])/g, "$1 $2")
    .replaceAll("_", " ")
    .toLowerCase()
    .replace(/^./, (first) => first.toUpperCase());

export function ago(when) {
  let past = (Date.now() - new Date(when)) / 1000;
  if (past < 45) return "just now";
  for (const [size, unit] of STEPS) {
    if (past < size) return AGO.format(-Math.round(past), unit);
    past /= size;
  }
}
