/* One line of words: seen at once, and read out by a screen reader as often as it can be borne. */
const APART = 5000; // milliseconds between two announcements of how far something has come

function render({ model, el }) {
  // The regions stay, and their words change: what is inserted together with its words is read out
  // by some screen readers only, and by others each time that it is inserted.
  const place = (name, attributes) => {
    const one = document.createElement("div");
    one.className = name;
    for (const [key, value] of Object.entries(attributes)) one.setAttribute(key, value);
    el.append(one);
    return one;
  };
  const places = {
    status: place("said", { role: "status" }),
    alert: place("said", { role: "alert" }),
    progress: place("said", {}),
  };
  const heard = place("heard", { "aria-live": "polite" });
  el.classList.add("optimove-line");
  let last = performance.now();

  const draw = () => {
    const { kind, text } = model.get("said");
    for (const [name, one] of Object.entries(places)) {
      const words = name === kind ? text : "";
      if (one.textContent !== words) one.textContent = words;
    }
    const now = performance.now();
    if (kind !== "progress") {
      last = now;
      heard.textContent = "";
    } else if (now - last >= APART) {
      last = now;
      heard.textContent = text;
    }
  };
  model.on("change:said", draw);
  draw();
  return () => model.off("change:said", draw);
}

export default { render };
