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
  const wrap = (lines, room) =>
    lines.flatMap((line) => {
      const wrapped = [""];
      for (const word of line.split(" ")) {
        const longer = `${wrapped.at(-1)} ${word}`.trim();
        if (longer.length <= room) wrapped[wrapped.length - 1] = longer;
        else wrapped.push(word);
      }
      return wrapped;
    });
  const draw = async (figure) => {
    const spec = JSON.parse(figure.querySelector("script").textContent);
    if (dark.matches) spec.config = merge(spec.config || {}, inks.dark);
    // A narrow screen takes one panel a row.
    if (window.innerWidth < 760 && spec.columns > 1) {
      spec.columns = 1;
      if (Array.isArray(spec.title?.subtitle)) spec.title.subtitle = wrap(spec.title.subtitle, 72);
    }
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
  drawAll();
})();
