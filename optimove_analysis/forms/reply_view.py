"""What a request and its answer look like in a form: HTML of plain parts, everything escaped."""

from __future__ import annotations

from html import escape
from typing import Final

import ipywidgets as widgets
import polars as pl

from optimove_analysis.errors import OptimoveAnalysisError
from optimove_analysis.forms.json_tree import OWN_KEYS, TREE_STYLE, json_tree
from optimove_analysis.forms.page_parts import Html
from optimove_analysis.forms.parts import table_html
from optimove_analysis.forms.source import Answered

__all__ = [
    "STYLE",
    "VIEWS",
    "code_html",
    "doc",
    "facts_html",
    "heading",
    "is_json",
    "url_html",
    "views",
]

VIEWS: Final = ("JSON", "Table", "Headers", "Raw")
"""The ways to look at an answer."""

_RAW: Final = 20_000
"""So many characters of a body are shown."""
_MOST_LINES: Final = 24

STYLE: Final = """<style>
.optimove-try { color: var(--jp-ui-font-color1, #222); container-type: inline-size }
.optimove-try .heading { font-weight: 600; font-size: 1.1em; margin: 8px 0 4px; line-height: 1.4 }
.optimove-try .doc { color: var(--jp-ui-font-color2, #555); line-height: 1.35; margin: 0 0 6px }
.optimove-try .assumed { border-left: 4px solid #b26a00; padding: 2px 8px; line-height: 1.35;
  color: var(--jp-ui-font-color1, #222); margin: 2px 0 6px }
.optimove-try .optimove-field { flex-direction: column; height: auto; width: 100%;
  align-items: stretch }
.optimove-try .optimove-field > label { text-align: left; width: auto; font-weight: 600 }
.optimove-try .optimove-field > input, .optimove-try .optimove-field > select {
  width: 100%; height: 28px; flex: none; box-sizing: border-box }
.optimove-try .grid { display: grid; grid-template-columns: minmax(0, 1fr); gap: 8px 32px }
@container (min-width: 760px) {
  .optimove-try .grid { grid-template-columns: minmax(0, 1fr) minmax(0, 1fr);
    grid-template-areas: "request code" "answer answer" }
  .optimove-try .request { grid-area: request }
  .optimove-try .answer { grid-area: answer }
  .optimove-try .code-side { grid-area: code }
}
.optimove-try [role="alert"], .optimove-try [role="status"] { line-height: 1.45 }
.optimove-try .widget-html, .optimove-try .widget-html-content { height: auto; min-width: 0 }
.optimove-try .address, .optimove-try textarea.code, .optimove-try pre.raw {
  font-family: var(--jp-code-font-family, monospace); font-size: var(--jp-code-font-size, 13px);
  line-height: 1.45; background: var(--jp-layout-color2, #f5f5f5); padding: 8px; margin: 0;
  color: var(--jp-content-font-color1, #222); box-sizing: border-box; width: 100%;
  border: 1px solid var(--jp-border-color2, #ddd); border-radius: 3px }
.optimove-try .address { word-break: break-all }
.optimove-try .address .verb { font-weight: 700 }
.optimove-try textarea.code { white-space: pre-wrap; word-break: break-all; overflow: auto;
  field-sizing: content; max-height: 40em; resize: vertical; display: block }
.optimove-try pre.raw { white-space: pre-wrap; overflow-wrap: anywhere; overflow: auto;
  max-height: 32em }
.optimove-try dl.facts { display: flex; flex-wrap: wrap; gap: 8px 28px; margin: 8px 0 }
.optimove-try dl.facts dt, .optimove-try dl.facts dd { float: none; display: block; width: auto;
  margin: 0; padding: 0 }
.optimove-try dl.facts dt { font-weight: normal; font-size: 0.9em; line-height: 1.3;
  color: var(--jp-ui-font-color2, #555) }
.optimove-try dl.facts dd { font-weight: 600; line-height: 1.3;
  font-variant-numeric: tabular-nums }
.optimove-try dl.facts .fine { border-left: 4px solid #2e7d32; padding-left: 8px }
.optimove-try dl.facts .wrong { border-left: 4px solid #c62828; padding-left: 8px }
.optimove-try table.headers { border-collapse: collapse; line-height: 1.5 }
.optimove-try table.headers th { text-align: left; padding: 2px 24px 2px 0; font-weight: 600 }
.optimove-try table.headers td { text-align: left; overflow-wrap: anywhere }
</style>"""


def heading(text: str) -> widgets.HTML:
    """Return a heading that a screen reader can jump to."""
    return Html(f'<div class="heading" role="heading" aria-level="3">{escape(text)}</div>')


def doc(text: str, kind: str = "doc") -> str:
    """Return a paragraph that explains; of kind ``assumed``, one that warns."""
    return f'<p class="{kind}">{escape(text)}</p>'


def url_html(method: str, url: str, header: str, key_source: str) -> str:
    """Return the request line and where the credential is from, which itself is not shown."""
    return (
        f'<div class="address"><span class="verb">{escape(method)}</span> {escape(url)}<br>'
        f'<span class="verb">{escape(header)}:</span> '
        f'<span aria-hidden="true">•••••••• </span>(hidden; {escape(key_source)})</div>'
    )


def code_html(code: str, language: str) -> str:
    """Return code in a box from which a keyboard can copy it, and in which nobody can type."""
    lines = min(code.count("\n") + 1, _MOST_LINES)
    return (
        f'<textarea class="code" readonly {OWN_KEYS} spellcheck="false" rows="{lines}" '
        f'aria-label="Code in {escape(language)}">\n{escape(code)}</textarea>'
    )


def facts_html(reply: Answered) -> str:
    """Return what was asked, and what is to be known of the answer beside its body."""
    facts = reply.facts()
    marks = {"Status": "fine" if reply.ok else "wrong"}
    items = "".join(
        f'<div class="{marks.get(name, "")}"><dt>{escape(name)}</dt><dd>{escape(text)}</dd></div>'
        for name, text in facts.items()
    )
    asked = f'<span class="verb">{escape(reply.method)}</span> {escape(reply.url)}'
    return f'<div class="address">{asked}</div><dl class="facts">{items}</dl>'


def views(reply: Answered) -> dict[str, widgets.Widget]:
    """Return the `VIEWS` of an answer."""
    made = (_json(reply), _table(reply), Html(_headers(reply)), Html(_raw(reply)))
    return dict(zip(VIEWS, made, strict=True))


def is_json(reply: Answered) -> bool:
    """Tell whether the body of an answer is JSON."""
    try:
        reply.json()
    except (ValueError, RecursionError):
        return False
    return True


def _json(reply: Answered) -> widgets.Widget:
    if not is_json(reply):
        return _words("The body is not JSON; Raw shows it as it came.")
    return Html(f"{TREE_STYLE}{json_tree(reply.json())}")


def _table(reply: Answered) -> widgets.Widget:
    try:
        frame = reply.frame()
    except OptimoveAnalysisError as error:
        return _words(str(error))
    if frame.is_empty():
        return _words("The answer has no rows.")
    empty = [name for name in frame.columns if frame[name].null_count() == frame.height]
    shown = frame.drop(empty)
    rows = f"{frame.height:,} row{'' if frame.height == 1 else 's'}"
    caption = f"{reply.endpoint}, {rows}"
    if not shown.width:
        return _words(f"{caption}, and nothing in any column.")
    return Html(table_html(shown, caption) + _types(frame, empty))


def _types(frame: pl.DataFrame, empty: list[str]) -> str:
    types = ", ".join(f"{name} {dtype}" for name, dtype in frame.schema.items())
    left_out = f" Empty in every row, and not shown: {', '.join(empty)}." if empty else ""
    return f'<p class="doc">Types: {escape(types)}.{escape(left_out)}</p>'


def _headers(reply: Answered) -> str:
    if not reply.headers and not reply.withheld:
        return '<p class="doc">Of a kept answer, the body alone is kept.</p>'
    rows = "".join(
        f'<tr><th scope="row">{escape(name)}</th><td>{escape(text)}</td></tr>'
        for name, text in reply.headers.items()
    )
    names = ", ".join(reply.withheld)
    left_out = f" Not shown, since they may carry a secret: {escape(names)}." if names else ""
    return f'<table class="headers">{rows}</table><p class="doc">{left_out}</p>'


def _raw(reply: Answered) -> str:
    more = len(reply.text) - _RAW
    rest = f"\n... and {more:,} characters more: form.reply.text has all" if more > 0 else ""
    body = escape(reply.text[:_RAW] + rest) or "There is no body."
    return f'<pre class="raw" tabindex="0" {OWN_KEYS} aria-label="The body as it came">{body}</pre>'


def _words(text: str) -> widgets.HTML:
    return Html(doc(text))
