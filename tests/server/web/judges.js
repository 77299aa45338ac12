// What is wrong with the page that is open, each fault in words. Evaluated in the page; browser.py says when.
(() => {
  const style = (each, part) => getComputedStyle(each, part);
  const tell = (each) => each.outerHTML.slice(0, each.outerHTML.indexOf(">") + 1);
  const shown = (what) =>
    [...document.querySelectorAll(what)].filter(
      (each) => each.checkVisibility({ visibilityProperty: true }) && each.offsetWidth + each.offsetHeight > 2,
    );
  const line = (each, side, part) =>
    style(each, part)[`${side}Style`] !== "none" && parseFloat(style(each, part)[`${side}Width`]) > 0;
  const around = (each) => [each, each.closest("label, li, .writing")].filter(Boolean);
  /** A box to tick is drawn by the system, unless it is only there for its label. */
  const drawn = (each) => each.matches("[type=checkbox], [type=radio]") && style(each).opacity !== "0";

  /** What asks how wide the page is, as the panel that covers it, hears of it with the next frame. */
  async function settled(scheme, width) {
    do await new Promise(requestAnimationFrame);
    while (innerWidth !== width || !matchMedia(`(prefers-color-scheme: ${scheme})`).matches);
  }

  return {
    /** On the screen, with the colour of the page that axe judged: whole, or what another light changes. */
    async look(scheme, width, whole) {
      await settled(scheme, width);
      const rules = whole ? {} : { runOnly: ["color-contrast", "link-in-text-block"] };
      const { violations } = await axe.run({ resultTypes: ["violations"], ...rules });
      const faults = violations.map(({ id, nodes }) => `${id}: ${nodes.map((each) => each.html).join(" ")}`);
      const wider = document.documentElement.scrollWidth - innerWidth;
      if (wider > 0) faults.push(`${wider} px stick out to the right`);
      return [style(document.documentElement).backgroundColor, faults];
    },

    /** On paper: black on white, whole, and nothing that is only there to be clicked. */
    paper() {
      const clear = ["rgba(0, 0, 0, 0)", "rgb(255, 255, 255)"];
      const all = shown("html, body, body *:not(svg, svg *)");
      const found = {
        "to be clicked": shown("button, .button, input, select, textarea, nav, .composer"),
        "not on white": all.filter((each) => !clear.includes(style(each).backgroundColor)),
        pale: all.filter((each) => style(each).color.match(/[\d.]+/g).slice(0, 3).every((part) => part > 118)),
        "cut off": all.filter(
          (each) =>
            style(each).overflow !== "visible" &&
            (each.scrollWidth > each.clientWidth + 1 || each.scrollHeight > each.clientHeight + 1),
        ),
        "off the sheet": all.filter((each) => each.getBoundingClientRect().right > innerWidth + 1),
      };
      return Object.entries(found).flatMap(([what, each]) => each.map((one) => `${what}: ${tell(one)}`));
    },

    /** Beside the open panel: all of the page to be seen, and nothing that is scrolled sideways for it. */
    beside() {
      const words = (each) => [...each.childNodes].filter((part) => part.nodeType === Node.TEXT_NODE && part.data.trim());
      const says = (each) => each.matches("a, button, input, select, summary") || words(each).length;
      const range = document.createRange();
      const wraps = (part) => (range.selectNode(part), range.getClientRects().length > 1);
      const page = shown("main *:not(.sr, .sr *, thead *)");
      const edge = document.querySelector("chat-panel").getBoundingClientRect().left;
      const found = {
        "under the panel": page.filter((each) => says(each) && each.getBoundingClientRect().right > edge),
        "in several lines": page.filter((each) => each.closest(".tiles dd, .button, .badge") && words(each).some(wraps)),
        "wider than its place": [document.documentElement, ...page].filter(
          (each) => !each.matches("svg, pre") && style(each).display !== "inline" && each.scrollWidth > each.clientWidth + 1,
        ),
      };
      return Object.entries(found).flatMap(([what, each]) => each.map((one) => `${what}: ${tell(one)}`));
    },

    /** Where the system decides on colours: edges, rings of the focus and states are lines. */
    lines() {
      const faults = [];
      for (const each of shown("button, .button, input, select, textarea"))
        if (!drawn(each) && style(each).textDecorationLine !== "underline" && !around(each).some((one) => line(one, "borderTop")))
          faults.push(`no edge: ${tell(each)}`);
      for (const each of shown("[aria-current], [aria-selected=true], [aria-expanded=true], input:checked"))
        if (!drawn(each) && !around(each).some((one) => line(one, "outline"))) faults.push(`no state: ${tell(each)}`);
      for (const each of shown("a, button:enabled, input, select, textarea:enabled, summary")) {
        each.focus({ focusVisible: true });
        if (!around(each).some((one) => line(one, "outline")) && !line(each, "outline", "::after"))
          faults.push(`no ring: ${tell(each)}`);
        each.blur();
      }
      return faults;
    },

    /** What moves by itself. */
    motion: () => document.getAnimations().map((each) => each.animationName ?? each.transitionProperty ?? "by script"),
  };
})()
