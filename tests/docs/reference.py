"""Builds the reference: ``python docs/reference.py dist/docs``.

pdoc makes the pages from the docstrings. What is done beside it: only rooms have a page, and none
of the modules within; each object is explained on one page; signatures read as the sources do;
constants keep the docstring that stands where they are defined; a table shows its columns; the
README is the front page.
"""

from __future__ import annotations

import ast
import importlib
import json
import re
import shutil
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final
from unittest.mock import patch

import pdoc.render
from docs.prose import PROSE, write_prose
from docs.written import PACKAGE, Written, origin, signature, source, written
from markupsafe import Markup
from pdoc import doc, doc_ast
from pdoc.doc_types import empty
from pdoc.render_helpers import relative_link

import optimove_analysis
from optimove_analysis.schema import Table
from optimove_analysis.schema.dictionary import columns

__all__ = ["ROOMS", "build"]

HERE: Final = Path(__file__).parent
ROOMS: Final = (
    PACKAGE,
    f"{PACKAGE}.charts",
    f"{PACKAGE}.forms",
    f"{PACKAGE}.report",
    f"{PACKAGE}.archive",
    f"{PACKAGE}.client",
    f"{PACKAGE}.catalogue",
    f"{PACKAGE}.schema",
    f"{PACKAGE}.errors",
    f"{PACKAGE}.sandbox",
    f"{PACKAGE}.analysis",
)
"""What has a page, in the order in which a reader comes to it."""

TABLE: Final[Any] = Written("Table")
LONG: Final = 100
"""A value of more letters than these is not shown: it is no longer read beside its name."""


def build(folder: Path) -> None:
    """Write the reference into a folder; what was there is removed."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    for lazy in (optimove_analysis, optimove_analysis.report):
        for name in lazy.__all__:
            getattr(lazy, name)  # it loads when first used, and pdoc sees what is loaded
    modules = {room: doc.Module(importlib.import_module(room)) for room in ROOMS}
    homes = _homes(modules)
    for module in modules.values():
        module.docstring = _for_users(module.docstring)
        for member in module.members.values():
            _as_written(member, module, homes)
    _set_up(homes)
    for room, module in modules.items():
        page = folder / f"{room.replace('.', '/')}.html"
        page.parent.mkdir(exist_ok=True)
        page.write_text(pdoc.render.html_module(module, modules), encoding="utf-8")
    # Not compiled by node where there is one: that makes six times as much of it.
    with patch("pdoc.render.precompile_index", lambda documents, _: json.dumps(documents)):
        (folder / "search.js").write_text(pdoc.render.search_index(modules), encoding="utf-8")
    write_prose(HERE.parents[1], folder, modules)


def _for_users(docstring: str) -> str:
    """Leave out the paragraph that tells who reads the source what is in which file."""
    paragraphs = docstring.split("\n\n")
    return "\n\n".join(it for it in paragraphs if not re.match(r"``\w+``(,| and|:)", it))


def _homes(modules: Mapping[str, doc.Module]) -> dict[str, str]:
    """Return which page explains a class, a type or a constant."""
    return {
        name: room
        for room in reversed(ROOMS[1:])
        for name, member in modules[room].members.items()
        if not isinstance(member, doc.Function)
    }


def _set_up(homes: Mapping[str, str]) -> None:
    def elsewhere(member: doc.Doc[Any]) -> str:
        """Return the page that explains what this one only names.

        Functions of analysis are explained where they are called, ``optimove_analysis.funnel``;
        what else the front door has, in its room.
        """
        if member.modulename == PACKAGE:
            return homes.get(member.name, "")
        at_the_door = member.name in optimove_analysis.__all__
        return PACKAGE if member.modulename == f"{PACKAGE}.analysis" and at_the_door else ""

    def link(current: str, before: str, name: str, after: str) -> str:
        home = homes.get(name)
        text = f"{before}{name}{after}"
        return f'<a href="{relative_link(current, home)}#{name}">{text}</a>' if home else text

    def linked(html: Markup, current: str) -> Markup:
        """Link the names of classes and types in a signature."""
        return _sub(r'(<span class="n[a-z]?">)([A-Z]\w*)(</span>)', link, html, current)

    def linked_words(html: Markup, current: str) -> Markup:
        """Link them in the annotation of an attribute."""
        return _sub(r"(\b)([A-Z]\w*)(\b)", link, html, current)

    def referred(html: Markup, current: str) -> Markup:
        """Link them in a docstring: in code, and the errors that it lists."""
        coded = r"(<code>(?:\w+\.)?)([A-Z]\w*)((?:\.[a-z]\w*)?</code>)(?!</a>)"
        listed = r"((?<=<strong>)|(?<=, ))([A-Z]\w*)((?=(?:, \w+)*:</strong>))"
        return _sub(coded, link, _sub(listed, link, html, current), current)

    pdoc.render.configure(
        docformat="google", show_source=False, template_directory=HERE / "templates"
    )
    pdoc.render.env.filters |= {
        "first_sentence": lambda text: re.split(r"(?<=\.)\s|\n\n|$", text, maxsplit=1)[0],
        "linked": linked,
        "linked_words": linked_words,
        "referred": referred,
        "relative_to": lambda room, current: relative_link(current, room),
    }
    pdoc.render.env.globals |= {
        "elsewhere": elsewhere,
        "rooms": ROOMS,
        "prose": PROSE,
        "version": optimove_analysis.__version__,
    }


def _sub(pattern: str, link: Callable[..., str], html: Markup, current: str) -> Markup:
    # pdoc has escaped what is in it.
    return Markup(re.sub(pattern, lambda found: link(current, *found.groups()), html))  # noqa: S704


def _as_written(
    member: doc.Doc[Any], parent: doc.Module | doc.Class, homes: Mapping[str, str]
) -> None:
    # In bold, as pdoc sets arguments, the stars of ``**options`` would end the bold.
    member.docstring = re.sub(
        r"^( +)\*\*(\w+:)", r"\1\\*\\*\2", member.docstring, flags=re.MULTILINE
    )
    match member:
        case doc.Function():
            called = getattr(member.obj, "__func__", member.obj)
            member.signature = signature(called, homes)
            if member.name == "__init__":
                member.signature = member.signature.replace(return_annotation=empty)
                if not called.__doc__:
                    member.docstring = ""  # else it is that of a widget's, say
        case doc.Class():
            _as_one(member, homes)
        case doc.Variable():
            if isinstance(parent, doc.Class):
                _attribute(member, parent.obj, homes)
            else:
                _constant(member, parent, homes)


def _as_one(cls: doc.Class, homes: Mapping[str, str]) -> None:
    """Give a class what it has of classes without a page: who uses it sees one class."""
    cls.own_members = [it for it in cls.members.values() if _is_own(it, cls, homes)]
    cls.bases = [it for it in cls.bases if not it[0].startswith(PACKAGE) or it[1] in homes]
    for member in cls.own_members:
        if re.match(r"Alias for field number \d|Create new instance of ", member.docstring):
            member.docstring = ""  # Python's own words on a NamedTuple
        _as_written(member, cls, homes)


def _is_own(member: doc.Doc[Any], cls: doc.Class, homes: Mapping[str, str]) -> bool:
    home, name = member.taken_from
    owner = name.split(".", maxsplit=1)[0]
    return home.startswith(PACKAGE) and (owner == cls.name or owner not in homes)


def _attribute(variable: doc.Variable, cls: type, homes: Mapping[str, str]) -> None:
    for base in cls.__mro__:
        annotation = doc_ast.walk_tree(base).annotations.get(variable.name)
        if annotation is None:
            value = base.__dict__.get(variable.name)
            getter = getattr(value, "fget", None) or getattr(value, "func", None)
            annotation = getattr(getter, "__annotations__", {}).get("return")
        if annotation is not None:
            variable.annotation = written(annotation, base.__module__, homes)
            return


def _constant(variable: doc.Variable, module: doc.Module, homes: Mapping[str, str]) -> None:
    home, name = origin(module.modulename, variable.name)
    said, value = source(home), getattr(module.obj, variable.name)
    variable.docstring = variable.docstring or said.docstrings.get(name, "")
    annotation = ast.unparse(said.annotations[name]) if name in said.annotations else ""
    annotation = re.sub(r"^Final(?:\[(.*)\])?$", r"\1", annotation)
    variable.annotation = empty
    if annotation == "TypeAlias":
        variable.default_value = written(ast.unparse(said.values[name]), home, homes)
    elif isinstance(value, Table):
        variable.docstring = f"{value.grain}\n\n{columns(value)}"
        variable.annotation, variable.default_value = TABLE, empty
    else:
        if annotation:
            variable.annotation = written(annotation, home, homes)
        if len(repr(value)) > LONG or variable.is_typevar:
            variable.default_value = empty


if __name__ == "__main__":
    build(Path(sys.argv[1]))
