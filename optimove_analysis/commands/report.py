"""``report``: fetch or replay, keep the answers in a snapshot, run a template over it."""

from __future__ import annotations

import argparse
import json
import re
import sys
from collections.abc import Mapping
from contextlib import suppress
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
from optimove_analysis.commands.words import UsageError
from optimove_analysis.errors import ApiError, InputError
from optimove_analysis.report.from_template import check, parameters_of

__all__ = ["run"]

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
    check(options.template, out, parameters, pdf=options.pdf)  # better now than after an hour
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
    given: dict[str, Any] = {"start": options.start, "end": options.end}
    if options.catalogue is not None:
        given["catalogue"] = options.catalogue.as_posix()
    if options.compare is not None:
        given |= _compared(options.compare)
    for one in options.set:
        name, separator, text = one.partition("=")
        if not separator:
            raise UsageError(f"--set {one}: give it as NAME=VALUE, as --set window=14.")
        given[name.strip()] = _value(text)
    return {name: value for name, value in given.items() if value is not None}


def _compared(text: str) -> dict[str, Any]:
    """Return what to compare: a day, or a column with two of its values."""
    if _DAY.fullmatch(text):
        return {"between": text}
    found = _PAIR.fullmatch(text.strip())
    if found is None:
        raise UsageError(
            f"--compare {text}: give a column with two values, as template_id=1002,1502, or a day, "
            "as 2025-07-01, to hold the messages from then on against those before."
        )
    return {"between": found[1], "baseline": _value(found[2]), "against": _value(found[3])}


def _value(text: str) -> object:
    try:
        return json.loads(text)
    except ValueError:
        return text


def _study(options: argparse.Namespace, parameters: Mapping[str, Any]) -> Path:
    """Return the snapshot to report on: the one that is named, or one that is written beside."""
    hides = options.pseudonymise or options.pseudonymise_key_file is not None
    ids = _ids(options)
    if options.snapshot is not None and ids is None and not hides:
        return Path(options.snapshot)
    beside: Path = options.out.with_suffix(".oma")
    _check_beside(beside, options.snapshot)
    key = pseudonym_key(options) or (new_pseudonym_key() if options.pseudonymise else None)
    with _opened(options, ids) as client, Shown(quiet=options.quiet) as shown:
        start, end = options.start, options.end
        if client.about is not None:
            ids, start, end = report.audience(client, start, end, ids)
            if client.about.pseudonymised:
                key = None  # they are pseudonyms already
        if key is not None:
            _refuse_ids_in({"--out": options.out.name, **parameters}, set(ids or ()))
        client.interactions(ids or [], start, end, progress=shown)
        client.channels()
        with suppress(ApiError):  # Optimove's own test environment does not say
            client.last_update()
        client.snapshot(beside, note=_NOTE, pseudonymise=key, overwrite=True)
    return beside


def _opened(options: argparse.Namespace, ids: list[str] | None) -> OptimoveClient:
    """Return a client of the account, or of the snapshot that is named."""
    if options.snapshot is not None:
        return OptimoveClient.replay(options.snapshot)
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


def _refuse_ids_in(texts: Mapping[str, object], ids: set[str]) -> None:
    """Refuse to write a customer's id, by the way, into a report that is to have none."""
    for name, text in texts.items():
        if ids & set(re.findall(r"[^\W_]+", str(text))) or str(text) in ids:
            raise InputError(
                f"{name} holds a customer's id, and would stand in a report that is to have none."
            )


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
