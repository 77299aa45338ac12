// What the answers cost: the last one, and the month so far.
import { ask } from "./chat-api.js";
import { count, dollars, h } from "./chat-dom.js";

export class Usage {
  constructor() {
    this.turn = h("span", { id: "chat-hint" }, "Enter to send · Shift+Enter for a new line");
    this.month = h("a", { href: "/usage", hidden: true });
    this.element = h("footer", { class: "used" }, this.turn, this.month);
  }

  show({ inputTokens = 0, outputTokens = 0, cacheReadTokens = 0, cacheWriteTokens = 0, cost }) {
    const sent = inputTokens + cacheReadTokens + cacheWriteTokens;
    const cached = sent && `${Math.round((cacheReadTokens / sent) * 100)}% from cache`;
    this.turn.textContent = [`${count(sent + outputTokens)} tokens`, cached, typeof cost === "number" && dollars(cost)].filter(Boolean).join(" · ");
  }

  async load() {
    const known = await ask("GET", "/usage").catch(() => null);
    if (!known) return;
    const { cost, turns, turnsIncluded, budget } = known.data;
    const asked = `${count(turns)} ${turns === 1 ? "turn" : "turns"}`;
    this.month.hidden = false;
    this.month.textContent = `Month: ${typeof cost === "number" ? dollars(cost) : asked}`;
    this.month.title = [turnsIncluded ? `${count(turns)} of ${count(turnsIncluded)} turns` : asked, budget && `of a budget of ${dollars(Number(budget))}`].filter(Boolean).join(", ");
  }
}
