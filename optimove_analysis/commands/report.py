"""``report``: fetch or replay, keep the answers in a snapshot, run a template over it."""

from __future__ import annotations

import argparse
import json
import re
import sys
from collections.abc import Mapping
from contextlib import suppress
from datetime import date
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self

from tqdm import tqdm

from optimove_analysis import report
from optimove_analysis.client import OptimoveClient, new_pseudonym_key
from optimove_analysis.client.inputs import as_ids
from optimove_analysis.commands.account import open_client
from optimove_analysis.commands.ids import ids_of
from optimove_analysis.commands.output import check_folder
from optimove_analysis.commands.progress import Shown
from optimove_analysis.commands.pseudonym_key import pseudonym_key
from optimove_analysis.commands.report_texts import refuse_ids_in, refuse_keys_in, texts_of
from optimove_analysis.commands.words import UsageError
from optimove_analysis.errors import ApiError, InputError, OfflineError
from optimove_analysis.report.again import from_text
from optimove_analysis.report.from_template import check, parameters_of

__all__ = ["run"]

_UNTOLD: Final = (ApiError, OfflineError)
_NOTE: Final = "what a report rests on"
_DAY: Final = re.compile(r"\d{4}-\d{2}-\d{2}")
_PAIR: Final = re.compile(r"(\w+)=([^,]+),([^,]+)")


def run(options: argparse.Namespace) -> int:
    """Make a report, or say which templates there are."""
    if options.list:
        print(_listed())
        return 0
    if options.out is None:
        raise UsageError("where to? --out report.html; or --list for the templates.")
    out: Path = options.out
    check_folder(out)
    parameters = _parameters(options)
    # Better now than after an hour.
    check(
        options.template,
        out,
        parameters,
        snapshot=options.snapshot,
        pdf=options.pdf,
        notebook=options.notebook,
    )
    study = _study(options, parameters)
    with _Cells(quiet=options.quiet) as cells:
        made = report.build(
            options.template,
            out,
            snapshot=study,
            pdf=options.pdf,
            notebook=options.notebook,
            on_cell=cells,
            **parameters,
        )
    also = [".pdf"] * options.pdf + [".ipynb"] * options.notebook
    files = [str(made), *(str(made.with_suffix(suffix)) for suffix in also)]
    if options.json:
        print(json.dumps({"files": files, "snapshot": str(study)}))
    elif not options.quiet:
        print(f"Report: {', '.join(files)}\nIt rests on {study}, and can be made again from it.")
    return 0


def _listed() -> str:
    lines = []
    for name, file in report.templates().items():
        lines += [f"{name}  ({file})"]
        lines += [
            f"    {one} = {value!r}"
            for one, value in parameters_of(file).items()
            if one not in ("snapshot", "start", "end")
        ]
    return "\n".join(
        [*lines, "", "A parameter is set by --set NAME=VALUE, days by --from and --to."]
    )


def _parameters(options: argparse.Namespace) -> dict[str, Any]:
    days = {"start": options.start, "end": options.end}
    given = {name: day for name, day in days.items() if day is not None}
    if options.snapshot is None and given:
        # They say what to fetch; a template that has no such parameters reports on all of it.
        known = parameters_of(options.template)
        given = {name: day for name, day in given.items() if name in known}
    if options.catalogue is not None:
        given["catalogue"] = options.catalogue.as_posix()
    if options.compare is not None:
        given |= _compared(options.compare)
    for one in options.set:
        name, separator, text = one.partition("=")
        if not separator:
            raise UsageError(f"--set {one}: give it as NAME=VALUE, as --set window=14.")
        given[name.strip()] = from_text(text)
    return given


def _compared(text: str) -> dict[str, Any]:
    """Return what to compare: a day, or a column with two of its values."""
    if _DAY.fullmatch(text):
        try:
            return {"between": date.fromisoformat(text).isoformat()}
        except ValueError as error:
            raise UsageError(f"--compare {text}: no such day ({error}).") from error
    found = _PAIR.fullmatch(text.strip())
    if found is None:
        raise UsageError(
            f"--compare {text}: give a column with two values, as template_id=1002,1502, or a day, "
            "as 2025-07-01, to hold the messages from then on against those before."
        )
    return {"between": found[1], "baseline": from_text(found[2]), "against": from_text(found[3])}


def _study(options: argparse.Namespace, parameters: Mapping[str, Any]) -> Path:
    """Return the snapshot to report on: the one that is named, or one that is written beside."""
    ids, source = _ids(options), options.snapshot
    named = pseudonym_key(options)
    key = named or (new_pseudonym_key() if options.pseudonymise else None)
    hidden = key is not None and source is not None and _has_pseudonyms(source)
    out, template = options.out, Path(options.template)
    files = {"--template": [template.name, template.stem], "--out": [out.name, out.stem]}
    texts = {**files, **parameters}
    names = texts_of(options.catalogue)
    refuse_keys_in(texts)
    if source is not None and ids is None and (key is None or hidden):
        return Path(source)
    beside: Path = out.with_suffix(".oma")
    _check_beside(beside, source)
    client = _opened(options, ids, named if hidden else None)
    with client, Shown(quiet=options.quiet) as shown:
        start, end = options.start, options.end
        if client.about is not None:
            ids, start, end = report.audience(client, start, end, ids)
        if key is not None:
            refuse_ids_in({**texts, "--catalogue": names}, ids or [])
        client.interactions(ids or [], start, end, progress=shown)
        # A catalogue of the user's says it as well.
        with suppress(*(_UNTOLD if options.catalogue is not None else ())):
            client.channels()
        with suppress(*_UNTOLD):  # Optimove's own test environment does not say
            client.last_update()
        client.snapshot(beside, note=_NOTE, pseudonymise=None if hidden else key, overwrite=True)
    return beside


def _has_pseudonyms(snapshot: Path) -> bool:
    with OptimoveClient.replay(snapshot) as client:
        return client.about is not None and client.about.pseudonymised


def _opened(options: argparse.Namespace, ids: list[str] | None, key: str | None) -> OptimoveClient:
    """Return a client of the account, or of the snapshot that is named.

    With a key one asks by real ids in a snapshot that has pseudonyms.
    """
    if options.snapshot is not None:
        return OptimoveClient.replay(options.snapshot, pseudonym_key=key)
    if ids is None:
        raise UsageError("of whom? --customers ids.csv, --customer ID or --snapshot study.oma.")
    if options.start is None or options.end is None:
        raise UsageError("of which days? --from 2025-01-01 --to 2025-12-31.")
    return open_client(options)


def _ids(options: argparse.Namespace) -> list[str] | None:
    """Return the customers that are named; None: none are."""
    listed = ids_of(options) if options.ids else []
    return as_ids([*listed, *options.customer]) if listed or options.customer else None


def _check_beside(beside: Path, source: Path | None) -> None:
    """Refuse to overwrite a file that no report wrote: it may be somebody's only copy."""
    if not beside.exists():
        return
    wanted = "give --out another name, since the answers are kept beside it."
    if source is not None and beside.samefile(source):
        raise InputError(f"{beside} is the snapshot to report on: {wanted}")
    try:
        with OptimoveClient.replay(beside) as client:
            ours = client.about is not None and client.about.note == _NOTE
    except InputError:
        ours = False
    if not ours:
        raise InputError(f"{beside} is there already, and is no report's: {wanted}")


class _Cells:
    """Shows on a terminal how far a template has run."""

    def __init__(self, *, quiet: bool) -> None:
        self._quiet = quiet or not sys.stderr.isatty()
        self._bar: tqdm[Any] | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._bar is not None:
            self._bar.close()

    def __call__(self, cell: int, count: int) -> None:
        """Take note of the cell that begins."""
        if self._quiet:
            return
        if self._bar is None:
            self._bar = tqdm(total=count, desc="Report", unit="cell", leave=False)
        self._bar.update(cell - 1 - self._bar.n)
