// Rows with a day in them as a line: what the table behind it says, seen at once.
import uPlot from "./uplot.js";
import { day as dayOf, h, number, words } from "./chat-dom.js";

const HEIGHT = 150;
let styled;

export const seconds = (day) =>
  Date.parse(
    day.length > 10 ? (/Z|[+-]\d\d:?\d\d$/.test(day) ? day : `${day.replace(" ", "T")}Z`) : `${day}T00:00:00Z`,
  ) / 1000;

const colour = (name) => getComputedStyle(document.documentElement).getPropertyValue(`--${name}`);
const short = (value) =>
  Math.abs(value) >= 1e6
    ? `${number(value / 1e6)}M`
    : Math.abs(value) >= 1000
      ? `${number(value / 1000)}k`
      : number(value);

/** A chart of `measure` over `day`; read out and moved along by the arrow keys. */
export function chart(rows, day, measure) {
  if (!styled) document.head.append((styled = h("link", { rel: "stylesheet", href: "./uplot.css" })));
  const sorted = [...rows].sort((one, other) => (one[day] < other[day] ? -1 : 1));
  const data = [sorted.map((row) => seconds(row[day])), sorted.map((row) => row[measure] ?? null)];
  const known = data[1].filter((value) => value !== null);
  const told = h("p", { class: "tip", "aria-live": "polite" });
  const place = h("div", {
    class: "chart",
    role: "img",
    tabindex: "0",
    "aria-label": `${words(measure)} per day, from ${number(Math.min(...known))} to ${number(Math.max(...known))}. The arrow keys read single days; the table below has all.`,
  });
  const say = (at) =>
    (told.textContent =
      at == null ? "" : `${dayOf(data[0][at] * 1000)}: ${data[1][at] === null ? "unknown" : number(data[1][at])}`);
  let plot;
  let at = -1;

  function draw() {
    plot?.destroy();
    const [line, quiet, soft] = ["accent", "muted", "line"].map(colour);
    const axis = {
      stroke: quiet,
      font: "11px Inter, system-ui, sans-serif",
      ticks: { show: false },
      grid: { stroke: soft, width: 1 },
    };
    plot = new uPlot(
      {
        width: Math.max(200, place.clientWidth),
        height: HEIGHT,
        padding: [10, 12, 0, 0],
        legend: { show: false },
        tzDate: (stamp) => uPlot.tzDate(new Date(stamp * 1000), "Etc/UTC"),
        cursor: { y: false, drag: { x: false, y: false }, points: { size: 7 } },
        scales: { y: { range: (_, low, high) => [Math.min(0, low), high > 0 ? high * 1.1 : 1] } },
        axes: [
          {
            ...axis,
            grid: { show: false },
            space: 64,
            size: 28,
            values: (_, stamps) => stamps.map((stamp) => dayOf(stamp * 1000)),
          },
          { ...axis, size: 44, space: 36, values: (_, values) => values.map(short) },
        ],
        series: [{}, { stroke: line, width: 2, points: { show: sorted.length < 3 }, fill: colour("accent-fade") }],
        hooks: { setCursor: [(drawn) => say(drawn.cursor.idx)] },
      },
      data,
      place,
    );
  }

  place.addEventListener("keydown", (event) => {
    const step = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
    if (!step) return;
    event.preventDefault();
    at = Math.max(0, Math.min(sorted.length - 1, at + step));
    plot.setCursor({ left: plot.valToPos(data[0][at], "x"), top: HEIGHT / 3 });
  });
  let width = 0;
  new ResizeObserver(([{ contentRect }]) => {
    if (!contentRect.width || contentRect.width === width) return;
    width = contentRect.width;
    plot ? plot.setSize({ width, height: HEIGHT }) : draw();
  }).observe(place);
  const dark = matchMedia("(prefers-color-scheme: dark)");
  const repaint = () => {
    if (place.isConnected) return draw();
    document.removeEventListener("adwright:theme", repaint);
    dark.removeEventListener("change", repaint);
  };
  document.addEventListener("adwright:theme", repaint);
  dark.addEventListener("change", repaint);
  return h("div", { class: "charted" }, place, told);
}
