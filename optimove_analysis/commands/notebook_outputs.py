"""What is kept of a notebook's outputs: text, tables, and each chart as a picture with its digest.

A picture is not the same on every machine, since fonts differ; the chart's spec is. So a chart is
compared by its spec's digest, which stands in the output's metadata, and all else as text. What
only a live page can show, a progress bar for one, is not kept.
"""

from __future__ import annotations

import base64
import copy
import difflib
import hashlib
import json
from collections.abc import Iterator
from typing import Any, Final

from nbformat import NotebookNode
from nbformat.v4 import new_code_cell

from optimove_analysis.errors import OptimoveAnalysisError
from optimove_analysis.report.kernel import CHART

__all__ = ["differences", "digest", "keep", "with_still", "without_still"]

_LIVE: Final = "application/vnd.jupyter.widget-view+json"
_DIGEST: Final = "spec_sha256"
_PICTURE: Final = "image/png"
_STILL: Final = "__import__('optimove_analysis.commands.notebook_still', fromlist=['']).still()"


def with_still(notebook: NotebookNode) -> NotebookNode:
    """Return a copy whose first cell has charts and forms come as what can be kept."""
    made = copy.deepcopy(notebook)
    made.cells.insert(0, new_code_cell(_STILL))
    return made


def without_still(notebook: NotebookNode) -> NotebookNode:
    """Return the notebook that was run without that cell, its cells counted from 1."""
    notebook.cells.pop(0)
    for cell in _code(notebook):
        cell.execution_count -= 1
        for output in cell.outputs:
            if "execution_count" in output:
                output.execution_count = cell.execution_count
    return notebook


def differences(made: NotebookNode, kept: NotebookNode) -> Iterator[str]:
    """Give, for each cell whose outputs are others than the kept, in what they differ."""
    for number, (new, old) in enumerate(zip(_code(made), _code(kept), strict=True), start=1):
        now, then = _lines(new.outputs), _lines(old.outputs)
        if now != then or new.execution_count != old.execution_count:
            lines = list(difflib.unified_diff(then, now, "kept", "made", n=0, lineterm=""))
            yield "\n".join([f"code cell {number} ({new.id}):", *lines[2:20]])


def keep(made: NotebookNode, kept: NotebookNode) -> None:
    """Put the outputs that were made into the notebook that is kept; nothing else changes.

    A picture whose chart is the same stays as it is, so that running the tool on another machine
    makes no new bytes.

    Raises:
        OptimoveAnalysisError: a cell wrote where warnings and errors go.
    """
    for number, (new, old) in enumerate(zip(_code(made), _code(kept), strict=True), start=1):
        for output in new.outputs:
            if output.output_type == "stream" and output.name == "stderr":
                message = (
                    f"code cell {number} ({new.id}) warns, which no reader wants: {output.text}"
                )
                raise OptimoveAnalysisError(message)
        pictures = {
            output.metadata[_DIGEST]: output.data[_PICTURE]
            for output in old.outputs
            if _DIGEST in output.get("metadata", {})
        }
        outputs = [output for output in new.outputs if not _is_live(output)]
        old.outputs = [_kept(output, pictures) for output in outputs]
        old.execution_count = new.execution_count


def digest(spec: dict[str, Any]) -> str:
    """Return a hash of what a chart shows.

    The name of a data set is a hash of all its digits, and the last of them hang on the order in
    which threads add up: so data sets are numbered as they are used, and numbers rounded. The
    schema's address is the library's.
    """
    told = {name: part for name, part in spec.items() if name not in {"$schema", "datasets"}}
    text = _canonical(told)
    sets = spec.get("datasets", {})
    used = sorted((name for name in sets if name in text), key=text.index)
    for number, name in enumerate(used):
        text = text.replace(name, f"data-{number}") + _canonical(sets[name])
    return _hash(text)


def _hash(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def _canonical(part: Any) -> str:  # noqa: ANN401 - a spec is nested lists and dicts of anything
    return json.dumps(_rounded(part), sort_keys=True, separators=(",", ":"))


def _rounded(part: Any) -> Any:  # noqa: ANN401 - as above
    match part:
        case dict():
            return {name: _rounded(inner) for name, inner in part.items()}
        case list():
            return [_rounded(inner) for inner in part]
        case float():
            return float(f"{part:.9g}")
    return part


def _code(notebook: NotebookNode) -> list[NotebookNode]:
    return [cell for cell in notebook.cells if cell.cell_type == "code"]


def _is_live(output: NotebookNode) -> bool:
    return _LIVE in output.get("data", {})


def _lines(outputs: list[NotebookNode]) -> list[str]:
    """Return outputs as lines of text, for the eye and to be compared."""
    lines: list[str] = []
    for output in outputs:
        if _is_live(output):
            continue
        if output.output_type == "stream":
            lines += [f"{output.name}:", *output.text.splitlines()]
            continue
        for kind, content in sorted(output.data.items()):
            if kind == CHART:
                lines += [f"{_PICTURE}:", digest(content)]
            elif kind == _PICTURE:
                lines += [f"{_PICTURE}:", output.metadata.get(_DIGEST) or _hash(content)]
            else:
                lines += [f"{kind}:", *str(content).splitlines()]
    return lines


def _kept(output: NotebookNode, pictures: dict[str, str]) -> NotebookNode:
    if CHART not in output.get("data", {}):
        return output
    from optimove_analysis.commands.notebook_png import png  # noqa: PLC0415 - a check draws nothing

    spec = output.data.pop(CHART)
    mark = digest(spec)
    output.data[_PICTURE] = pictures.get(mark) or f"{base64.b64encode(png(spec)).decode()}\n"
    output.metadata = NotebookNode({_PICTURE: {"alt": output.data["text/plain"]}, _DIGEST: mark})
    return output
