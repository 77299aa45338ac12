// What a call answered, as people read it: rows as a table, days as a line, the rest as names and values.
import { action, h, number, plain, words } from "./chat-dom.js";
import { numeric, sheet } from "./chat-markdown.js";

const FIRST_ROWS = 50;
const MEASURES = ["spend", "revenue", "visitors", "conversions", "sessions", "pageviews"];
export const isId = (name) => /id$/i.test(name);
export const isDay = (value) => typeof value === "string" && /^\d{4}-\d\d-\d\d([T ]|$)/.test(value);
const isRows = (value) =>
  Array.isArray(value) &&
  value.length > 0 &&
  value.every((row) => row && typeof row === "object" && !Array.isArray(row));

const decimals = (value) => (typeof value === "number" ? Math.min(4, (String(value).split(".")[1] ?? "").length) : 0);
const told = (value, digits) => (typeof value === "number" ? number(value, digits) : plain(value ?? "—"));

export const facts = (values) =>
  h(
    "dl",
    {},
    ...Object.entries(values).map(([name, value]) => h("div", {}, h("dt", {}, words(name)), h("dd", {}, told(value)))),
  );

/** What people look for first comes first; ids, which programs look for, come last. */
function columns(rows) {
  const names = [...new Set(rows.flatMap((row) => Object.keys(row)))];
  const rank = (name) =>
    rows.some((row) => isDay(row[name])) && !/_at$/i.test(name)
      ? 0
      : /name$|^title$/.test(name)
        ? 1
        : isId(name)
          ? 3
          : 2;
  return names.sort((one, other) => rank(one) - rank(other));
}

function table(rows, label) {
  const names = columns(rows);
  const right = names.map(
    (name) =>
      !isId(name) &&
      rows.every(({ [name]: value }) => typeof (value ?? 0) === "number" || numeric(String(value))),
  );
  const digits = names.map((name) => Math.max(...rows.map((row) => decimals(row[name]))));
  const cells = (row) => names.map((name, at) => told(row[name], digits[at]));
  const { element, add } = sheet(names.map(words), right, label);
  add(rows.slice(0, FIRST_ROWS).map(cells));
  if (rows.length <= FIRST_ROWS) return [element];
  const all = () => (add(rows.slice(FIRST_ROWS).map(cells)), more.remove());
  const more = action(`Show all ${number(rows.length)} rows`, all, { class: "text" });
  return [element, more];
}

/** The column of days and the measures over it, where every row is one day. */
function series(rows) {
  const day = columns(rows).find((name) => rows.every((row) => isDay(row[name])));
  if (!day || rows.length < 2 || new Set(rows.map((row) => row[day])).size < rows.length) return null;
  const measures = columns(rows).filter((name) => !isId(name) && rows.some((row) => typeof row[name] === "number"));
  const rank = (name) => (MEASURES.indexOf(name) + MEASURES.length + 1) % (MEASURES.length + 1);
  return measures.length ? { day, measures: measures.sort((one, other) => rank(one) - rank(other)) } : null;
}

function charted(rows, { day, measures }) {
  const place = h("div", { class: "figure" });
  const choice = h(
    "select",
    { "aria-label": "Measure", onchange: show },
    ...measures.map((name) => h("option", { value: name }, words(name))),
  );
  async function show() {
    try {
      const { chart } = await import("./chat-chart.js");
      place.replaceChildren(measures.length > 1 ? choice : "", chart(rows, day, choice.value));
    } catch {
      place.remove(); // the table is there
    }
  }
  show();
  return place;
}

export function result(of, given) {
  const inner = of.result && typeof of.result === "object" && !Array.isArray(of.result) ? of.result : of;
  const name =
    ["items", "rows"].find((key) => isRows(inner[key])) ?? Object.keys(inner).find((key) => isRows(inner[key]));
  if (!name) return [facts(of)];
  const { [name]: rows, columns: _, next_cursor: more, ...rest } = inner;
  const days = series(rows);
  const scalars = Object.fromEntries(
    Object.entries(rest).filter(([key, value]) => typeof value !== "object" && given[key] !== value),
  );
  const listed = table(rows, "Result");
  return [
    days && charted(rows, days),
    ...(days ? [h("details", {}, h("summary", {}, "View as table"), ...listed)] : listed),
    more && h("p", { class: "muted small" }, "There are more rows than these."),
    Object.keys(scalars).length > 0 && facts(scalars),
  ];
}
