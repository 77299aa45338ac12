// Before the first question: who answers, what they may do, and what one could ask here.
import { h, icon } from "./chat-dom.js";

const SUGGESTED = {
  ads: ["Which campaigns waste money?", "How did Meta and Google compare over the last 28 days?", "What changed recently?"],
  analytics: ["Where do our visitors come from?", "Which channels bring revenue?", "Do AI assistants send us visitors?"],
};
const BY_PAGE = {
  "/approvals": { ads: ["What is waiting for my approval?", "What changed recently?", "Which campaigns waste money?"] },
  "/integrations": { ads: ["Which accounts are connected, and do they work?", "What can you do?", "Which campaigns are active?"] },
  "/websites": { analytics: ["How many visitors did we have over the last 28 days?", "Which pages are visited most?", "Which channels bring revenue?"] },
};
export const MAY = { ads: "Ads · read & propose", analytics: "Analytics · read only" };
const NAMES = { ads: "Ads", analytics: "Analytics" };
const DOES = {
  ads: "Looks into campaigns, spend and results. Changes are proposed to you and made only after you approve them.",
  analytics: "Looks into visitors, sources and revenue. It cannot change anything.",
};

export function welcome({ surface, page, model, scripted, choose }) {
  const options = Object.entries(NAMES).map(([value, name]) =>
    h("label", {}, h("input", { type: "radio", name: "chat-surface", value, checked: value === surface, onchange: () => choose(value) }), name));
  const suggested = (BY_PAGE[`/${page.split("/")[1]}`]?.[surface] ?? SUGGESTED[surface]).map((text) =>
    h("li", {}, h("button", { type: "button", "data-ask": text, "data-ask-send": "", "data-ask-surface": surface }, text, icon("arrow-up"))));
  return h("div", { class: "welcome" },
    h("fieldset", { class: "surfaces" }, h("legend", { class: "sr" }, "What to ask about"), ...options),
    h("div", { class: "hello" }, icon("sparkles"), h("h3", {}, surface === "ads" ? "Ask about your campaigns" : "Ask about your visitors"), h("p", {}, DOES[surface])),
    model ? h("ul", { class: "suggested", "aria-label": "Suggestions" }, ...suggested) : null,
    h("p", { class: "answers" }, ...(!model
      ? [icon("lock"), h("span", {}, "Nobody answers yet: set ", h("code", {}, "ANTHROPIC_API_KEY"), " where Adwright runs and start it again. ", h("code", {}, "adwright doctor"), " checks the key.")]
      : scripted
        ? [icon("circle-help"), h("span", {}, "A scripted demo model answers here, not an AI. Set ", h("code", {}, "ANTHROPIC_API_KEY"), " to talk to Claude.")]
        : [icon("sparkles"), h("span", {}, `${model} answers. Check what matters before you act on it.`)])));
}
