"""The parameters of a notebook: the names in its cell with the tag ``parameters``, and values.

The tag, and a cell ``injected-parameters`` after it, are as papermill has them, so that notebooks
made for that run here.
"""

from __future__ import annotations

import ast
import datetime as dt
import math
import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from nbformat import NotebookNode
from nbformat.v4 import new_code_cell

from optimove_analysis.errors import InputError, suggest

__all__ = ["assigned", "defaults", "injected", "is_injected"]

_TAG: Final = "parameters"
_INJECTED: Final = "injected-parameters"
_SURROGATE: Final = re.compile("[\ud800-\udfff]")
"""In a text that is bytes of another encoding, as a shell may hand on; it cannot be written."""


def defaults(notebook: NotebookNode, name: str) -> dict[str, Any]:
    """Return the parameters of a notebook with their defaults, in the order they stand there.

    A default that is no plain value, as that of ``today = date.today()``, is given as its source.

    Raises:
        InputError: no cell, or more than one, has the tag, or it cannot be read as Python.
    """
    found: dict[str, Any] = {}
    try:
        statements = ast.parse(_cell(notebook, name).source).body
    except SyntaxError as error:
        message = f"{name}: the cell with the tag {_TAG!r} is no Python: {error.msg}."
        raise InputError(message) from error
    for statement in statements:
        if isinstance(statement, ast.Assign):
            targets, value = statement.targets, statement.value
        elif isinstance(statement, ast.AnnAssign) and statement.value is not None:
            targets, value = [statement.target], statement.value
        else:
            continue
        for target in targets:
            parts = target.elts if isinstance(target, ast.Tuple) else [target]
            values = (
                value.elts
                if isinstance(target, ast.Tuple) and isinstance(value, ast.Tuple)
                else [value]
            )
            for part, one in zip(parts, values, strict=False):
                if isinstance(part, ast.Name):
                    found[part.id] = _plain(one)
    return found


def injected(notebook: NotebookNode, name: str, values: Mapping[str, Any]) -> dict[str, Any]:
    """Put a cell with these values behind the parameters' own; return all that then holds.

    Raises:
        InputError: a name is none of the notebook's parameters, or a value is no plain one.
    """
    known = defaults(notebook, name)
    for one in values:
        if one not in known:
            message = f"{name} has no parameter {one!r}; {suggest(one, known)}"
            raise InputError(message)
    plain = {one: _written(one, value) for one, value in values.items()}
    if plain:
        # Of an earlier run, that of a notebook that was kept: it would win.
        notebook.cells = [cell for cell in notebook.cells if not is_injected(cell)]
        place = next(i for i, cell in enumerate(notebook.cells) if _is_parameters(cell))
        cell = new_code_cell(assigned(plain), id=_INJECTED, metadata={"tags": [_INJECTED]})
        notebook.cells.insert(place + 1, cell)
    return {**known, **plain}


def assigned(values: Mapping[str, Any]) -> str:
    r"""Return the lines that give parameters these values.

    >>> assigned({"window": 14, "title": "Q4"})
    "window = 14\ntitle = 'Q4'"
    """
    return "\n".join(f"{one} = {value!r}" for one, value in values.items())


def is_injected(cell: NotebookNode) -> bool:
    """Tell whether a cell is the one with the values."""
    return cell.cell_type == "code" and _INJECTED in cell.metadata.get("tags", ())


def _cell(notebook: NotebookNode, name: str) -> NotebookNode:
    found = [cell for cell in notebook.cells if _is_parameters(cell)]
    if len(found) != 1:
        count = f"{len(found)} cells" if found else "no cell"
        message = (
            f"{name} has {count} with the tag {_TAG!r}: give it to the one cell that sets the "
            "parameters' defaults."
        )
        raise InputError(message)
    cell: NotebookNode = found[0]
    return cell


def _is_parameters(cell: NotebookNode) -> bool:
    return cell.cell_type == "code" and _TAG in cell.metadata.get("tags", ())


def _plain(value: ast.expr) -> Any:  # noqa: ANN401 - a default may be anything
    try:
        return ast.literal_eval(value)
    except ValueError:
        return ast.unparse(value)


def _written(name: str, value: object) -> object:
    """Return a value as it can stand in a cell: days and paths as text, as all here take them."""
    if isinstance(value, list | tuple):
        return [_written(name, one) for one in value]
    if isinstance(value, dict):
        return {str(key): _written(name, one) for key, one in value.items()}
    if isinstance(value, dt.date | os.PathLike):
        value = value.isoformat() if isinstance(value, dt.date) else Path(value).as_posix()
    if value is None or isinstance(value, bool):
        return value
    # Of an enumeration's value, or numpy's, the one within: the cell knows neither by name.
    if isinstance(value, str) and not _SURROGATE.search(value):
        return str.__str__(value)
    if isinstance(value, int) or (isinstance(value, float) and math.isfinite(value)):
        return int(value) if isinstance(value, int) else float(value)
    message = (
        f"{name}={value!r} must be text, a finite number, a day, a path, None, or a list or dict "
        "of these."
    )
    raise InputError(message)
