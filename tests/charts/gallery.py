"""The gallery's notebook, run here: each chart with its question and the table it is drawn of."""

from __future__ import annotations

import ast
import contextlib
import functools
import json
import pickle
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import altair as alt
import polars as pl

__all__ = ["NOTEBOOK", "Shown", "shown_once"]

NOTEBOOK: Final = Path(__file__).parents[2] / "notebooks" / "04_gallery.ipynb"


@dataclass(frozen=True)
class Shown:
    """What a cell shows: with which function of ``charts``, of which table."""

    heading: str
    maker: str
    table: pl.DataFrame | None
    output: Any

    @functools.cached_property
    def spec(self) -> dict[str, Any]:
        spec: dict[str, Any] = self.chart.to_dict()
        return spec

    @property
    def chart(self) -> alt.TopLevelMixin:
        assert isinstance(self.output, alt.TopLevelMixin)
        return self.output


def shown_once(once: Callable[..., Path]) -> list[Shown]:
    """Give what `shown` does; the notebook is run, and its charts written out, once for all."""
    written = (once("shown", _keep) / "shown").read_bytes()
    kept: list[Shown] = pickle.loads(written)  # noqa: S301 - by us
    return kept


def _keep(folder: Path) -> None:
    every = list(shown())
    for one in every:
        if isinstance(one.output, alt.TopLevelMixin):
            assert one.spec  # which is kept with the rest
    (folder / "shown").write_bytes(pickle.dumps(every))


def shown() -> Iterator[Shown]:
    """Run all cells from top to bottom; give those that show what a function of charts made."""
    names: dict[str, Any] = {}
    heading = ""
    with contextlib.chdir(NOTEBOOK.parent):
        for cell in json.loads(NOTEBOOK.read_text("utf-8"))["cells"]:
            text = "".join(cell["source"])
            if cell["cell_type"] == "markdown":
                lines = [line[3:] for line in text.splitlines() if line.startswith("## ")]
                heading = lines[-1] if lines else heading
                continue
            *before, last = ast.parse(text).body
            _run(ast.Module(before, []), names)
            if not isinstance(last, ast.Expr):
                _run(ast.Module([last], []), names)
                continue
            maker, table = _made(last.value, names)
            output = eval(_code(ast.Expression(last.value)), names)  # noqa: S307 - our own notebook
            if maker or isinstance(output, alt.TopLevelMixin):
                yield Shown(heading, maker, table, output)


def _made(last: ast.expr, names: dict[str, Any]) -> tuple[str, pl.DataFrame | None]:
    """Return which function of charts the expression calls and its table, reckoned only once."""
    match last:
        case ast.Call(ast.Attribute(ast.Name("charts"), maker), [first, *_]):
            table = names["_table"] = eval(_code(ast.Expression(first)), names)  # noqa: S307 - as above
            last.args[0] = ast.copy_location(ast.Name("_table", ast.Load()), first)
            return maker, table if isinstance(table, pl.DataFrame) else None
    return "", None


def _run(module: ast.Module, names: dict[str, Any]) -> None:
    exec(_code(module), names)  # noqa: S102 - as above


def _code(tree: ast.Module | ast.Expression) -> Any:
    return compile(tree, NOTEBOOK.name, "exec" if isinstance(tree, ast.Module) else "eval")
