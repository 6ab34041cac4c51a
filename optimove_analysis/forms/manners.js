/* What ipywidgets cannot say of its widgets: which boxes are groups, which buttons are off. */
function render({ el }) {
  el.style.display = "none";
  let form = null;
  let frame = 0;
  const tidy = () => {
    for (const box of form.querySelectorAll(".optimove-group:not([role])")) {
      box.setAttribute("role", "group");
      box.setAttribute("aria-label", box.querySelector(".widget-label")?.textContent ?? "");
    }
    for (const button of form.querySelectorAll("button")) {
      // Not `disabled`: that would take the focus away from who has just pressed it.
      const off = button.classList.contains("optimove-off");
      if (off !== button.hasAttribute("aria-disabled")) {
        if (off) button.setAttribute("aria-disabled", "true");
        else button.removeAttribute("aria-disabled");
      }
    }
  };
  const watcher = new MutationObserver(tidy);
  const begin = () => {
    form = el.closest(".optimove-form");
    if (form === null) {
      frame = requestAnimationFrame(begin); // it is put into the page a moment later
      return;
    }
    watcher.observe(form, { subtree: true, childList: true, attributeFilter: ["class"] });
    tidy();
  };
  begin();
  return () => {
    cancelAnimationFrame(frame);
    watcher.disconnect();
  };
}

export default { render };
