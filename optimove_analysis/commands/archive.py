"""``archive``: years of interactions in tables, updated, looked at, cleaned, a customer erased."""

from __future__ import annotations

import argparse
import json
from contextlib import suppress
from datetime import timedelta
from pathlib import Path
from typing import Final

from optimove_analysis.archive import Archive, Update
from optimove_analysis.client.cache_info import size_text
from optimove_analysis.client.environment import cache_folder
from optimove_analysis.client.inputs import as_ids
from optimove_analysis.commands.account import open_client
from optimove_analysis.commands.cache import every_cache, remove_from
from optimove_analysis.commands.failures import SOME_FAILED, on_error_of, write_failures
from optimove_analysis.commands.ids import ids_of
from optimove_analysis.commands.progress import Shown
from optimove_analysis.commands.words import UsageError, confirmed
from optimove_analysis.errors import InputError

__all__ = ["run"]

_GOES_ON: Final = (
    "What had come is kept, in the archive or in the cache: the same command goes on from there."
)


def run(options: argparse.Namespace) -> int:
    """Do what ``action`` names to an archive; return 3 if some customers of an update failed."""
    actions = {
        "update": _update,
        "info": _info,
        "import": _import,
        "compact": _compact,
        "forget": _forget,
    }
    return actions[options.action](options)


def _update(options: argparse.Namespace) -> int:
    on_error = on_error_of(options)
    archive, ids = _archive(options), ids_of(options)
    with (
        open_client(options, offline=options.offline) as client,
        Shown(quiet=options.quiet) as shown,
    ):
        try:
            done = archive.update(
                client,
                ids,
                options.start,
                options.end,
                progress=shown,
                on_error=on_error,
                refresh=options.refresh,
            )
        except KeyboardInterrupt as stopped:
            # The client tells of the batch that it was asked for, and of that in Python's terms.
            stopped.args = (_GOES_ON,)
            raise
        sent = client.quota.sent
    write_failures(done.failures, options)
    _tell(options, archive, done, sent)
    return SOME_FAILED if done.failures.height else 0


def _info(options: argparse.Namespace) -> int:
    info = Archive(options.path).info()
    print(json.dumps(info.as_dict()) if options.json else info)
    return 0


def _import(options: argparse.Namespace) -> int:
    if len(options.files) > 1:  # one by one, each would take the place of those before it
        raise UsageError(
            "the files are one export: give its folder, or a pattern in quotes, as "
            "'exports/*.parquet'."
        )
    archive = _archive(options)
    done = archive.import_parquet(
        options.files[0],
        start=options.start,
        end=options.end,
        data_through=options.data_through,
        columns=dict(options.column),
        customers=ids_of(options) if options.ids else None,
    )
    _tell(options, archive, done)
    return 0


def _compact(options: argparse.Namespace) -> int:
    archive = Archive(options.path)
    archive.info()  # no archive at all says so
    before = _bytes(archive)
    info = archive.compact(keep=options.keep)
    freed = None if before is None else max(before - (_bytes(archive) or 0), 0)
    if options.json:
        print(json.dumps({"freed": freed, **info.as_dict()}))
    elif not options.quiet:
        if freed is not None:
            kept = options.keep // timedelta(hours=1)
            states = f"what was there in the last {kept:,} hours" if kept else "no earlier state"
            print(f"{size_text(freed)} freed; {states} can still be read.")
        print(info)
    return 0


def _forget(options: argparse.Namespace) -> int:
    if any(not one.strip() for one in options.customer_ids):  # as of a variable that is not set
        raise UsageError("whom to forget? An id is blank.")
    ids = [*options.customer_ids, *(ids_of(options) if options.ids else [])]
    if not ids:
        raise UsageError("whom to forget? Give ids, or a file of them with --customers.")
    ids = as_ids(ids)
    archive, folder = Archive(options.path), cache_folder(options.cache_dir)
    _ = archive.version  # no archive at all says so, before anything is asked
    caches = every_cache(folder) if options.with_cache else []
    who = f"customer {ids[0]}" if len(ids) == 1 else f"{len(ids):,} customers"
    also = f" and from {len(caches):,} files in {folder}" if caches else ""
    question = f"Erase {who} from {archive.path} and all its earlier states{also}?"
    if not confirmed(question, yes=options.yes):
        print("Nothing was removed.")
        return 0
    erased = archive.forget(ids)
    print(f"{erased:,} interactions of {who} erased, and all earlier states: {archive.path}")
    if options.with_cache:
        remove_from(caches, lambda cache: sum(cache.forget(one) for one in ids))
        print("Snapshots and files that you wrote may still hold them: they are yours to erase.")
    else:
        print(
            "The client's kept answers and snapshots are apart: optimove-analysis cache forget ID "
            "--all erases from the answers; a snapshot is a file of its own, to be removed."
        )
    return 0


def _archive(options: argparse.Namespace) -> Archive:
    """Return the archive, there or not yet; with as many buckets as are asked for."""
    if options.buckets is None:
        return Archive(options.path)
    archive = Archive(options.path, buckets=options.buckets)
    try:
        found = archive.info().buckets
    except InputError:  # there is none yet
        return archive
    if found != options.buckets:
        raise InputError(
            f"{archive.path} was made with {found:,} buckets, and keeps them: leave out --buckets, "
            "or give another path."
        )
    return archive


def _tell(
    options: argparse.Namespace, archive: Archive, done: Update, sent: int | None = None
) -> None:
    failed = done.failures.height
    needed_none = done.customers - done.answers - failed
    if options.json:
        said: dict[str, object] = {
            "path": archive.path,
            "version": archive.version,
            "customers": done.customers,
            "answers": done.answers,
            "rows": done.rows,
        }
        if sent is not None:
            said |= {
                "needed_none": needed_none,
                "failed": failed,
                "requests_sent": sent,
                "failures": str(options.failures) if options.failures else None,
            }
        print(json.dumps(said))
    elif not options.quiet:
        came = f"{done.rows:,} interactions of {done.answers:,} customers came"
        if sent is None:
            print(f"{came}: {archive.path}")
            return
        needed = f", {needed_none:,} of {done.customers:,} needed none"
        lost = f", {failed:,} failed" if failed else ""
        print(f"{came}{needed}{lost}; {sent:,} requests sent: {archive.path}")


def _bytes(archive: Archive) -> int | None:
    """Return how much room it takes on this computer; None: it lies elsewhere."""
    if "://" in archive.path:
        return None
    size = 0
    for file in Path(archive.path).rglob("*"):
        with suppress(OSError):  # another has removed it meanwhile
            size += file.stat().st_size if file.is_file() else 0
    return size
