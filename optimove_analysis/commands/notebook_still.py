"""Within a notebook's kernel: a form comes as what a page without a kernel can keep."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from IPython.core.getipython import get_ipython

if TYPE_CHECKING:
    from optimove_analysis.forms.form import Form

__all__ = ["still"]


def still() -> None:
    """Have forms come as text; charts come as their specs already, see `report.kernel`."""
    shell = get_ipython()
    if shell is not None and shell.display_formatter is not None:
        # By name: half of the notebooks have no form, and need not import what makes one.
        shown = shell.display_formatter.mimebundle_formatter
        shown.for_type_by_name("optimove_analysis.forms.form", "Form", _form)


def _form(form: Form[Any], **_: Any) -> dict[str, str]:  # noqa: ANN401 - include= and exclude=
    from optimove_analysis.commands.notebook_form import form_as_html  # noqa: PLC0415 - see above

    return {"text/html": form_as_html(form), "text/plain": repr(form)}
