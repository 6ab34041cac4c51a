"""A template and a snapshot in, one HTML file out: the same at each run."""

from __future__ import annotations

import copy
import os
from collections.abc import Mapping
from importlib import resources
from pathlib import Path
from typing import Any, Final

import nbformat
from nbformat import NotebookNode
from nbformat.v4 import new_code_cell

from optimove_analysis.charts.save import write_whole
from optimove_analysis.errors import InputError, suggest
from optimove_analysis.report.again import command, named, to_text
from optimove_analysis.report.figure import picture
from optimove_analysis.report.kernel import CHART
from optimove_analysis.report.page import page
from optimove_analysis.report.parameters import assigned, defaults, injected, is_injected
from optimove_analysis.report.pdf import find_browser, print_pdf
from optimove_analysis.report.places import check_places
from optimove_analysis.report.run import OnCell, run

__all__ = ["build", "check", "parameters_of", "template_file", "templates"]

_FOLDER: Final = Path(str(resources.files("optimove_analysis.report"))) / "templates"
_CLOSING: Final = "report-closing"
_TIMEOUT: Final = 3_600.0
"""Seconds for one cell: an audience of a million takes a minute."""


def build(
    template: str | os.PathLike[str],
    path: str | os.PathLike[str],
    *,
    snapshot: str | os.PathLike[str],
    pdf: bool = False,
    notebook: bool = False,
    timeout: float | None = _TIMEOUT,
    on_cell: OnCell | None = None,
    **parameters: Any,  # noqa: ANN401 - each template has its own
) -> Path:
    """Write a report: run a template over a snapshot, and make one HTML file of what it shows.

    The page opens with no network, prints well, and lets no script run but its own. The same
    template, parameters and snapshot give the same numbers and charts, byte for byte: the template
    runs on a kernel whose environment names no account, so that it has the snapshot alone to ask.
    The snapshot is ``OptimoveClient.snapshot``'s; where that has pseudonyms, so has the report.

    Args:
        template: one of `templates`, or the path of a notebook of yours with a cell that is tagged
            ``parameters`` and sets ``snapshot``.
        path: where to, as ``"report.html"``.
        snapshot: the answers to report on.
        pdf: also print it, by a Chromium of this machine, to the same name with ``.pdf``.
        notebook: also write the notebook as it ran, to the same name with ``.ipynb``.
        timeout: seconds that one cell may take; None: as long as it needs.
        on_cell: called as each cell begins, with its number and how many there are.
        **parameters: of the template, as ``start="2025-01-01"``.

    Returns:
        The path of the HTML file.

    Raises:
        InputError: there is no such template, parameter or snapshot; an output needs a kernel; a
            path cannot be written; or there is no browser to print with.
        OptimoveAnalysisError: a cell failed; its error is told.

    >>> from tempfile import TemporaryDirectory
    >>> from optimove_analysis import OptimoveClient, report
    >>> with TemporaryDirectory() as folder, OptimoveClient.sandbox() as client:
    ...     rows = client.interactions("000010", "2025-01-01", "2025-11-30")
    ...     names, day = client.catalogue(), client.last_update()
    ...     study = client.snapshot(f"{folder}/study.oma")
    ...     made = report.build("customer-dossier", f"{folder}/one.html", snapshot=study)
    ...     made.name
    'one.html'
    """
    path, study = Path(path), Path(snapshot)
    if not study.is_file():
        message = (
            f"there is no snapshot {study}: client.snapshot(path) writes one, and so does "
            "`optimove-analysis snapshot`."
        )
        raise InputError(message)
    check(template, path, parameters, snapshot=study, pdf=pdf, notebook=notebook)
    file = template_file(template)
    source = _read(file)
    held = injected(source, file.name, {"snapshot": study.as_posix(), **parameters})
    given = {name: held[name] for name in parameters}
    shown = {file: name for name, file in templates().items()}.get(file, file.name)
    again = command(shown, study, path, given)
    told = {name: held[name] for name in held if name in given or held[name] is not None}
    source.cells.append(_closing(shown, told, again))
    ran = run(
        source, name=file.name, environment=_without_account(), timeout=timeout, on_cell=on_cell
    )
    html = page(ran, file.name)
    write_whole(path, html.encode())
    if notebook:
        kept = _readable(ran, {"snapshot": study.name, **given})
        write_whole(path.with_suffix(".ipynb"), nbformat.writes(kept).encode())
    if pdf:
        print_pdf(path, path.with_suffix(".pdf"))
    return path


def templates() -> dict[str, Path]:
    """Return the templates that the package has, by name; copy one to begin your own.

    >>> list(templates())
    ['audience-engagement', 'campaign-comparison', 'channel-strategy', 'customer-dossier']
    """
    files = sorted(_FOLDER.glob("*.ipynb"))
    return {file.stem.replace("_", "-"): file for file in files}


def template_file(template: str | os.PathLike[str]) -> Path:
    """Return the file of a template: one of `templates` by name, or a notebook by its path.

    Raises:
        InputError: there is none.
    """
    known = templates()
    name = os.fspath(template)
    if name in known:
        return known[name]
    if name.endswith(".ipynb"):
        if Path(name).is_file():
            return Path(name)
        message = f"there is no notebook {name}."
        raise InputError(message)
    message = f"there is no template {name!r}; {suggest(name, known)} Or give a notebook's path."
    raise InputError(message)


def parameters_of(template: str | os.PathLike[str]) -> dict[str, Any]:
    """Return the parameters of a template with their defaults.

    Raises:
        InputError: there is no such template, or it has none.
    """
    file = template_file(template)
    return defaults(_read(file), file.name)


def check(
    template: str | os.PathLike[str],
    path: Path,
    parameters: Mapping[str, Any],
    *,
    snapshot: Path | None = None,
    pdf: bool = False,
    notebook: bool = False,
) -> None:
    """Raise what `build` would raise after minutes of work, as far as that can be known.

    Raises:
        InputError: there is no such template or parameter, the path has another ending than
            ``.html``, a file cannot be written or is what the report is made of, or there is no
            browser to print with.
    """
    if path.suffix.lower() not in (".html", ".htm"):
        message = f"{path}: a report is an HTML file: give it a name that ends with .html."
        raise InputError(message)
    file = template_file(template)
    injected(_read(file), file.name, {"snapshot": "", **parameters})
    also = [".pdf"] * pdf + [".ipynb"] * notebook
    places = [path, *(path.with_suffix(suffix) for suffix in also)]
    check_places(places, [file, *([] if snapshot is None else [snapshot])])
    if pdf:
        find_browser()


def _read(file: Path) -> NotebookNode:
    """Return a notebook without outputs, and without the end of a report that it was run for.

    Raises:
        InputError: it cannot be read.
    """
    try:
        notebook: NotebookNode = nbformat.read(file, as_version=4)
    except (OSError, ValueError) as error:  # nbformat's own are ValueErrors
        message = f"{file} cannot be read as a notebook: {str(error).splitlines()[0]}"
        raise InputError(message) from error
    notebook.cells = [cell for cell in notebook.cells if cell.get("id") != _CLOSING]
    for cell in notebook.cells:
        if cell.cell_type == "code":
            cell.outputs, cell.execution_count = [], None
    return notebook


def _without_account() -> dict[str, str]:
    """Return this process's environment without what names an account or holds a key."""
    return {name: value for name, value in os.environ.items() if not name.startswith("OPTIMOVE_")}


def _closing(template: str, told: Mapping[str, Any], again: str) -> NotebookNode:
    """Return the cell that ends each report: how it was made, and how it is made again."""
    values = [
        f"{name} = {'None' if value is None else to_text(value)}"
        for name, value in named(told).items()
        if name != "snapshot"
    ]
    facts = {
        "Template": template,
        "Parameters": ", ".join(values) or "none",
        "Made again by": again,
    }
    lines = "\n".join(f"        {name!r}: {value!r}," for name, value in facts.items())
    source = (
        "from optimove_analysis import report\n\n"
        f'report.terms(\n    {{\n        "Made with": report.versions(),\n{lines}\n    }}\n)'
    )
    made: NotebookNode = new_code_cell(source, id=_CLOSING)
    return made


def _readable(ran: NotebookNode, given: Mapping[str, Any]) -> NotebookNode:
    """Return the notebook with a picture beside each chart, for programs that draw no chart.

    Files are named in it as they lie beside it.
    """
    shown = copy.deepcopy(ran)
    for cell in shown.cells:
        if is_injected(cell):
            cell.source = assigned(named(given))
        for output in cell.get("outputs", ()):
            if CHART in output.get("data", {}):
                output.data["image/png"] = picture(output.data[CHART])
    return shown
