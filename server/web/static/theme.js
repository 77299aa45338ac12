// Runs before the first paint: the system decides light or dark until a person does; an open panel is open at once.
(() => {
  const root = document.documentElement;
  const stored = localStorage.getItem("theme");
  if (stored === "light" || stored === "dark") root.dataset.theme = stored;
  // Where the panel covers the page, one comes to the page first.
  root.dataset.panel = localStorage.getItem("adwright.panel") === "open" && innerWidth > 1023 ? "open" : "";
  const dark = () => (root.dataset.theme ?? (matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light")) === "dark";
  document.addEventListener("click", (event) => {
    if (!event.target.closest?.("[data-theme-switch]")) return;
    root.dataset.theme = dark() ? "light" : "dark";
    localStorage.setItem("theme", root.dataset.theme);
    document.dispatchEvent(new Event("adwright:theme"));
  });
})();
