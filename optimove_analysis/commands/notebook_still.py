"""Within a notebook's kernel: what is shown comes as what a page without a kernel can keep."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from optimove_analysis.forms.form import Form

__all__ = ["SPEC", "still"]

SPEC: Final = "application/vnd.vegalite.v6+json"
"""The MIME type of a chart, as JupyterLab has it; Altair's ends in what no notebook may hold."""

# Imported where they are wanted: the tool wants the name above alone, and half of the notebooks
# have no form.


def still() -> None:
    """Have charts come as specs and forms as text, whatever the notebook's cells enable."""
    import altair as alt  # noqa: PLC0415 - see above
    from IPython.core.getipython import get_ipython  # noqa: PLC0415

    alt.renderers.register("jupyter", _spec)
    shell = get_ipython()
    if shell is not None and shell.display_formatter is not None:
        shown = shell.display_formatter.mimebundle_formatter
        shown.for_type_by_name("optimove_analysis.forms.form", "Form", _form)


def _spec(spec: dict[str, Any], **_: Any) -> dict[str, Any]:  # noqa: ANN401 - a renderer's options
    return {SPEC: spec, "text/plain": spec.get("description") or "A chart."}


def _form(form: Form[Any], **_: Any) -> dict[str, str]:  # noqa: ANN401 - include= and exclude=
    from optimove_analysis.commands.notebook_form import form_as_html  # noqa: PLC0415 - see above

    return {"text/html": form_as_html(form), "text/plain": repr(form)}
