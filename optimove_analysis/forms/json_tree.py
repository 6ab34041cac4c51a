"""A JSON value as a tree to open and close, in plain HTML: keyboards and screen readers know it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from html import escape
from itertools import islice
from typing import Any, Final

__all__ = ["OWN_KEYS", "TREE_STYLE", "json_tree"]

OWN_KEYS: Final = 'data-lm-suppress-shortcuts="true"'
"""Marks what keys belong to: else Ctrl+A in it selects JupyterLab's cells, and an x cuts one."""

_DEPTH: Final = 40
"""Levels; deeper ones stand as text."""
_LONG: Final = 300
"""Characters of a text that are shown."""
_PREVIEW: Final = 70
"""Characters of what is closed that are shown beside its name."""
_OPEN: Final = 40
"""So many lines are open at the start."""

TREE_STYLE: Final = """<style>
.optimove-json { font-family: var(--jp-code-font-family, monospace);
  font-size: var(--jp-code-font-size, 13px); line-height: 1.5; overflow: auto; max-height: 32em;
  color: var(--jp-content-font-color1, #222) }
.optimove-json ul { list-style: none; margin: 0; padding: 0 0 0 1.2em;
  border-left: 1px solid var(--jp-border-color2, #ddd) }
.optimove-json li { margin: 0; overflow-wrap: anywhere }
.optimove-json summary { cursor: pointer }
.optimove-json summary:focus-visible { outline: 2px solid var(--jp-brand-color1, #1976d2) }
.optimove-json li.leaf { padding-left: 1em }
.optimove-json .key { font-weight: 600 }
.optimove-json .closed { color: var(--jp-content-font-color2, #555) }
.optimove-json details[open] > summary > .preview { display: none }
.optimove-json .text { color: var(--jp-mirror-editor-string-color, #a31515) }
.optimove-json .number { color: var(--jp-mirror-editor-number-color, #116644) }
.optimove-json .word { color: var(--jp-mirror-editor-keyword-color, #00608a); font-weight: 600 }
</style>"""


def json_tree(value: Any, *, most: int = 500) -> str:  # noqa: ANN401 - JSON is anything
    """Return a JSON value as nested ``<details>``, everything in it escaped.

    >>> json_tree([{"ChannelID": 7}]).count("<details")
    2

    Args:
        value: what ``json.loads`` gives.
        most: so many values are in the tree; of the others it says how many there are.
    """
    tree = _Tree(most)
    return f'<div class="optimove-json" {OWN_KEYS}>{tree.node(None, value, 0)}</div>'


class _Tree:
    def __init__(self, most: int) -> None:
        self._left = most
        self._open = _OPEN

    def node(self, key: str | None, value: Any, depth: int) -> str:  # noqa: ANN401 - JSON is anything
        """Return a value with its name, and what is in it."""
        self._left -= 1
        name = "" if key is None else f'<span class="key">{escape(key)}</span>: '
        if not isinstance(value, dict | list) or not value:
            return f"{name}{_leaf(value)}"
        if depth >= _DEPTH:
            return f'{name}<span class="closed">nested deeper than is shown here</span>'
        many = len(value)
        kind = "item" if isinstance(value, list) else "field"
        count = f"{many:,} {kind}{'' if many == 1 else 's'}"
        opened = self._open >= many or depth == 0
        self._open -= many if opened else 0
        preview = f' <span class="closed preview">{escape(_preview(value))}</span>'
        return (
            f"<details{' open' if opened else ''}><summary>{name}"
            f'<span class="closed">{count}</span>{preview}</summary>'
            f"<ul>{''.join(self._items(value, depth))}</ul></details>"
        )

    def _items(self, value: dict[str, Any] | list[Any], depth: int) -> Iterator[str]:
        pairs = value.items() if isinstance(value, dict) else enumerate(value)
        shown = 0
        for key, item in pairs:
            if self._left <= 0:
                break
            shown += 1
            closes = isinstance(item, dict | list) and item
            leaf = "" if closes else ' class="leaf"'
            yield f"<li{leaf}>{self.node(str(key), item, depth + 1)}</li>"
        if rest := len(value) - shown:
            yield f'<li class="leaf closed">and {rest:,} more, not shown here: see Raw</li>'


def _leaf(value: Any) -> str:  # noqa: ANN401 - JSON is anything
    if isinstance(value, str):
        more = f' <span class="closed">({len(value):,} characters)</span>'
        cut = json.dumps(value[:_LONG], ensure_ascii=False)
        if len(value) <= _LONG:
            return f'<span class="text">{escape(cut)}</span>'
        return f'<span class="text">{escape(cut[:-1])}...</span>{more}'
    kind = "number" if type(value) in {int, float} else "word"
    return f'<span class="{kind}">{escape(json.dumps(value))}</span>'


def _preview(value: dict[str, Any] | list[Any]) -> str:
    """Return the start of what is in a value, on one line."""
    if isinstance(value, dict):
        parts = (f"{key}: {_short(item)}" for key, item in islice(value.items(), 8))
    else:
        parts = (_short(item) for item in islice(value, 8))
    text = ", ".join(parts)
    return text[:_PREVIEW] + ("..." if len(text) > _PREVIEW else "")


def _short(value: Any) -> str:  # noqa: ANN401 - JSON is anything
    if isinstance(value, dict | list):
        return "{...}" if isinstance(value, dict) else "[...]"
    return json.dumps(value[:_PREVIEW] if isinstance(value, str) else value, ensure_ascii=False)
