"use strict";
/* Draw every chart of the page, light or dark as the reader has it; what is not ours to change
   (a chart's own config) is kept, only the inks of dark are laid over it. */
(() => {
  const dark = window.matchMedia("(prefers-color-scheme: dark)");
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
    const spec = JSON.parse(figure.querySelector("script").textContent);
    if (dark.matches) spec.config = merge(spec.config || {}, inks.dark);
    // A narrow screen takes one panel a row.
    if (window.innerWidth < 760 && spec.columns > 1) spec.columns = 1;
    const view = await vegaEmbed(figure.querySelector(".live"), spec, {
      mode: "vega-lite",
      renderer: "svg",
      actions: false,
      ast: true, // an interpreter in place of eval, which this page's policy forbids
      tooltip: { theme: dark.matches ? "dark" : "light" },
    });
    figure.querySelector(".picture").style.setProperty("--wide", `${view.view._viewWidth}px`);
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
  drawAll();
})();
