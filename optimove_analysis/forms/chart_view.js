/* Draw the widget's chart: light or dark as its page is, wide or narrow as its place is. */
const SHRUNK = 0.75; // of its size; smaller, its text would be too small to read
const DARK = () => document.body.dataset.jpThemeLight === "false";

/* The look on the page's own paper: a chart is no card. */
function inPaper(look) {
  const paper = getComputedStyle(document.body).getPropertyValue("--jp-layout-color1").trim();
  if (!paper) return look;
  const style = {
    ...look.style,
    "optimove-paper": { ...look.style["optimove-paper"], color: paper },
    "optimove-block": { ...look.style["optimove-block"], stroke: paper },
  };
  return { ...look, background: paper, style };
}

async function render({ model, el }) {
  const place = document.createElement("div");
  place.className = "optimove-chart";
  // As wide as the page gives it, never as what is drawn in it: else a wide picture would make the
  // place wide, and the narrow one would never be asked for.
  Object.assign(el.style, { contain: "inline-size", overflowX: "auto" });
  el.append(place);
  let drawn = null; // the view of the last picture, and what it was drawn for
  let asked = 0;
  let small = false; // whether the last picture is the narrow one
  let width = 0; // of the wide picture, in pixels
  // A tab that is not shown has no width: its pictures are drawn wide until it is.
  const isNarrow = () => el.clientWidth > 0 && el.clientWidth < SHRUNK * width;

  const draw = async () => {
    const { wide, narrow } = model.get("specs");
    if (!wide) {
      drawn?.finalize();
      drawn = null;
      place.replaceChildren();
      return;
    }
    const turn = ++asked;
    const vegaEmbed = await globalThis.optimoveVega.ready;
    if (turn !== asked) return; // a newer picture is on its way
    const look = inPaper(model.get("looks")[DARK() ? "dark" : "light"]);
    const embed = async (spec) => {
      const next = document.createElement("div");
      const result = await vegaEmbed(next, { ...spec, config: look }, {
        mode: "vega-lite",
        renderer: "svg",
        actions: false,
        ast: true, // expressions are interpreted: a page's policy may forbid eval
        tooltip: { theme: DARK() ? "dark" : "light" },
      });
      return { next, view: result.view, svg: next.querySelector("svg") };
    };
    try {
      let picture = await embed(wide);
      width = Number(picture.svg.getAttribute("width"));
      small = Boolean(narrow) && isNarrow();
      if (small) {
        picture.view.finalize();
        picture = await embed(narrow);
      }
      const { next, view, svg } = picture;
      if (turn !== asked) return view.finalize();
      drawn?.finalize();
      drawn = view;
      place.removeAttribute("role");
      place.replaceChildren(next); // the old picture stays until the new one is there: no flicker
      // A chart shrinks with its place until its text would be too small to read, then it scrolls.
      svg.style.maxWidth = "100%";
      svg.style.height = "auto";
      svg.style.minWidth = `${Math.round(SHRUNK * Number(svg.getAttribute("width")))}px`;
      place.dataset.drawn = String(model.get("number"));
    } catch (error) {
      place.textContent = `The chart could not be drawn: ${error.message}`;
      place.setAttribute("role", "alert");
    }
  };

  const places = new ResizeObserver(() => {
    if (model.get("specs").narrow && el.clientWidth > 0 && isNarrow() !== small) draw();
  });
  places.observe(el);
  const themes = new MutationObserver(draw);
  themes.observe(document.body, { attributes: true, attributeFilter: ["data-jp-theme-light"] });
  model.on("change:number", draw);
  draw();
  return () => {
    model.off("change:number", draw);
    places.disconnect();
    themes.disconnect();
    drawn?.finalize();
  };
}
