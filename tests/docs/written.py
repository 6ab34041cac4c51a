"""Signatures as the sources have them: ``pl.DataFrame``, not ``polars.dataframe.frame.DataFrame``.

A generator that evaluates annotations shows where a library keeps its classes, and writes out every
alias. What a caller wants to see are the words of the source, and what a word of ours stands for
where no page says it: ``opens: Literal['trust', 'ignore']``.
"""

from __future__ import annotations

import ast
import importlib.util
import inspect
import textwrap
from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any, ForwardRef

__all__ = ["Source", "Written", "origin", "signature", "source", "written"]

PACKAGE = "optimove_analysis"
LONG = 80
"""A value of more letters than these is called what the source calls it."""


class Written:
    """Text that shows itself: an annotation or a value as it is written."""

    def __init__(self, text: str) -> None:
        self.text = text

    def __repr__(self) -> str:
        return self.text


@dataclass
class Source:
    """What a module's text says of its names."""

    imports: dict[str, tuple[str, str]] = field(default_factory=dict)
    """Name to the module that it comes from, and its name there."""
    values: dict[str, ast.expr] = field(default_factory=dict)
    annotations: dict[str, ast.expr] = field(default_factory=dict)
    docstrings: dict[str, str] = field(default_factory=dict)


@cache
def source(module: str) -> Source:
    """Read a module of the package, without running it."""
    spec = importlib.util.find_spec(module)
    assert spec is not None
    assert spec.origin is not None
    body = ast.parse(Path(spec.origin).read_text(encoding="utf-8")).body
    said = Source()
    for statement, after in zip(body, [*body[1:], None], strict=True):
        match statement:
            case ast.ImportFrom(module=str(home), names=names):
                said.imports |= {each.asname or each.name: (home, each.name) for each in names}
                continue
            case ast.AnnAssign(target=ast.Name(id=name), annotation=annotation, value=value):
                said.annotations[name] = annotation
            case ast.Assign(targets=[ast.Name(id=name)], value=value):
                pass
            case _:
                continue
        if value is not None:
            said.values[name] = value
        match after:
            case ast.Expr(value=ast.Constant(value=str(text))):
                said.docstrings[name] = inspect.cleandoc(text)
    return said


def origin(module: str, name: str) -> tuple[str, str]:
    """Follow a name to the module of the package that defines it."""
    while module.startswith(PACKAGE) and name in source(module).imports:
        module, name = source(module).imports[name]
    return module, name


class _Expanded(ast.NodeTransformer):
    """Puts what an alias stands for in the place of one that no page explains."""

    def __init__(self, module: str, public: Collection[str]) -> None:
        self.module, self.public = module, public

    def visit_Name(self, node: ast.Name) -> ast.expr:
        home, name = origin(self.module, node.id)
        if name in self.public or not home.startswith(PACKAGE):
            return node
        kind = source(home).annotations.get(name)
        meaning = source(home).values.get(name)
        if not isinstance(kind, ast.Name) or kind.id != "TypeAlias" or meaning is None:
            return node
        if isinstance(meaning, ast.Constant):  # an alias in quotes
            meaning = _parsed(str(meaning.value))
        if isinstance(meaning, ast.Name) and meaning.id == "Any":
            return node  # the alias's name says more
        expanded: ast.expr = _Expanded(home, self.public).visit(_parsed(ast.unparse(meaning)))
        return expanded


def _parsed(text: str) -> ast.expr:
    return ast.parse(text, mode="eval").body


def written(annotation: object, module: str, public: Collection[str]) -> Any:
    """Return a type's annotation as the module has it, aliases that are not public spelled out."""
    if isinstance(annotation, ForwardRef):
        annotation = annotation.__forward_arg__
    text = annotation if isinstance(annotation, str) else inspect.formatannotation(annotation)
    try:
        return Written(ast.unparse(_Expanded(module, public).visit(_parsed(text))))
    except SyntaxError:
        return Written(text)


def signature(function: Callable[..., Any], public: Collection[str]) -> inspect.Signature:
    """Return how a function is called, its annotations as they are written."""
    seen = inspect.signature(function)
    module = inspect.unwrap(function).__module__
    parameters = [
        each.replace(
            annotation=_annotation(each.annotation, module, public),
            default=_default(each, inspect.unwrap(function)),
        )
        for each in seen.parameters.values()
    ]
    returned = _annotation(seen.return_annotation, module, public)
    return seen.replace(parameters=parameters, return_annotation=returned)


def _annotation(annotation: object, module: str, public: Collection[str]) -> object:
    nothing = annotation is inspect.Parameter.empty
    return annotation if nothing else written(annotation, module, public)


def _default(parameter: inspect.Parameter, function: Callable[..., Any]) -> object:
    """Return a value, or where it is long what the source calls it.

    A long value holds things that show themselves in no order of their own, and says less.
    """
    if len(repr(parameter.default)) <= LONG:
        return parameter.default
    (definition,) = ast.parse(textwrap.dedent(inspect.getsource(function))).body
    assert isinstance(definition, ast.FunctionDef)
    given = definition.args
    names = [*given.posonlyargs, *given.args]
    named = dict(zip(reversed(names), reversed(given.defaults), strict=False))
    named |= {
        it: value for it, value in zip(given.kwonlyargs, given.kw_defaults, strict=True) if value
    }
    return Written(*(ast.unparse(it) for arg, it in named.items() if arg.arg == parameter.name))
