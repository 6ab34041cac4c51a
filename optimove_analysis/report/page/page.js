"use strict";
/* Draw every chart of the page, light or dark as the reader has it; what is not ours to change
   (a chart's own config) is kept, only the inks of dark are laid over it. */
(() => {
  const dark = window.matchMedia("(prefers-color-scheme: dark)");
  const phone = window.matchMedia("(max-width: 760px)");
  const inks = JSON.parse(document.getElementById("inks").textContent);
  const merge = (under, over) => {
    const both = { ...under };
    for (const [key, value] of Object.entries(over)) {
      const nested = value !== null && typeof value === "object" && !Array.isArray(value);
      both[key] = nested ? merge(both[key] || {}, value) : value;
    }
    return both;
  };
  const draw = async (figure) => {
    const specs = JSON.parse(figure.querySelector("script").textContent);
    const spec = (phone.matches && specs.narrow) || specs.wide;
    spec.padding ??= { left: 0, top: 8, right: 8, bottom: 4 }; // in line with the text around it
    if (dark.matches) spec.config = merge(spec.config || {}, inks.dark);
    // Drawn here, it is as wide as this reader's fonts make it.
    spec.config = merge(spec.config || {}, { font: getComputedStyle(document.body).fontFamily });
    await vegaEmbed(figure.querySelector(".live"), spec, {
      mode: "vega-lite",
      renderer: "svg",
      actions: false,
      ast: true, // an interpreter in place of eval, which this page's policy forbids
      tooltip: { theme: dark.matches ? "dark" : "light" },
    });
    // A chart shrinks with the screen until its text would be too small to read, then it scrolls.
    const svg = figure.querySelector(".live svg");
    svg.style.minWidth = `${Math.round(0.7 * Number(svg.getAttribute("width")))}px`;
    figure.classList.add("drawn");
  };
  const drawAll = async () => {
    for (const figure of document.querySelectorAll("figure.chart")) {
      try {
        await draw(figure);
      } catch (error) {
        console.error(error); // the still picture stays
      }
    }
    document.documentElement.dataset.drawn = "yes";
  };
  dark.addEventListener("change", drawAll);
  phone.addEventListener("change", drawAll);
  // Paper has nothing to click on: what is folded is printed open.
  window.addEventListener("beforeprint", () => {
    for (const folded of document.querySelectorAll("main > details")) folded.open = true;
  });
  drawAll();
})();
