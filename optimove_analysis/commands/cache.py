"""``cache``: look at the kept answers, clear them, erase a customer."""

from __future__ import annotations

import argparse
import json
import re
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from datetime import date, timedelta
from pathlib import Path
from typing import Final

from optimove_analysis.client.cache import Cache
from optimove_analysis.client.environment import cache_folder
from optimove_analysis.commands.account import settings_of
from optimove_analysis.commands.words import UsageError, confirmed
from optimove_analysis.errors import InputError, OptimoveAnalysisError

__all__ = ["every_cache", "remove_from", "run"]

# As `Settings.cache_name` ends; also of a file that was set aside and has no successor. Another
# program's database in the same folder must not be opened: it would be set aside.
_OURS: Final = re.compile(r"(.+-[0-9a-f]{16}\.sqlite)(\.set-aside-\d+)?")


def run(options: argparse.Namespace) -> int:
    """Do what ``action`` names to one account's file, or to all in the folder."""
    actions = {"info": _info, "clear": _clear, "forget": _forget}
    return actions[options.action](options)


def _info(options: argparse.Namespace) -> int:
    try:
        files = _files(options)
    except InputError:
        if options.instance or options.account:
            raise
        files = every_cache(
            cache_folder(options.cache_dir)
        )  # no account is named, and to look needs no key
    infos = []
    for file in files:
        with _opened(file) as cache:
            infos.append(cache.info())
    if options.json:
        folder = str(cache_folder(options.cache_dir))
        print(json.dumps({"folder": folder, "caches": [info.as_dict() for info in infos]}))
        return 0
    if not infos:
        print(f"Nothing is kept in {cache_folder(options.cache_dir)}.")
    for info in infos:
        print(info)
    return 0


def _clear(options: argparse.Namespace) -> int:
    how_old = "" if options.older_than is None else f" older than {_age(options.older_than)}"
    return _removed(
        options,
        f"Remove the answers{how_old}",
        lambda cache: cache.clear(older_than=options.older_than),
    )


def _forget(options: argparse.Namespace) -> int:
    wanted = options.customer_id.strip()
    if not wanted:  # as of a variable of the shell that is not set
        raise UsageError("whom to forget? The id is blank.")
    return _removed(options, f"Erase customer {wanted}", lambda cache: cache.forget(wanted))


def _removed(options: argparse.Namespace, question: str, remove: Callable[[Cache], int]) -> int:
    files = _files(options)
    if not files:
        print(f"Nothing is kept in {cache_folder(options.cache_dir)}.")
        return 0
    if not confirmed(f"{question} from {_named(files)}?", yes=options.yes):
        print("Nothing was removed.")
        return 0
    remove_from(files, remove)
    return 0


def remove_from(files: Iterable[Path], remove: Callable[[Cache], int]) -> None:
    """Remove answers from files, and print of each how many.

    Raises:
        OptimoveAnalysisError: they cannot be removed from some; the others are seen to all the
            same.
    """
    problems = []
    for file in files:
        with _opened(file) as cache:
            try:
                removed = remove(cache)
                print(f"{removed:,} answer{'' if removed == 1 else 's'} removed: {file}")
            except OptimoveAnalysisError as error:
                problems.append(str(error))
    if problems:
        raise OptimoveAnalysisError(" ".join(problems))


def _files(options: argparse.Namespace) -> list[Path]:
    """Return the files that are meant and are there."""
    if options.all:
        return every_cache(cache_folder(options.cache_dir))
    settings = settings_of(options)
    file = settings.cache_dir / settings.cache_name
    aside = file.parent.glob(f"{file.name}.set-aside-*")
    return [file] if file.exists() or any(aside) else []


def every_cache(folder: Path) -> list[Path]:
    """Return the files of all accounts in a folder."""
    if not folder.is_dir():
        return []
    found = filter(None, (_OURS.fullmatch(file.name) for file in folder.iterdir()))
    return [folder / name for name in sorted({match[1] for match in found})]


def _age(older_than: timedelta | date) -> str:
    if not isinstance(older_than, timedelta):
        return str(older_than)
    hours = older_than // timedelta(hours=1)
    return f"{hours} hours" if hours % 24 else f"{hours // 24} days"


def _named(files: list[Path]) -> str:
    return str(files[0]) if len(files) == 1 else f"{len(files)} files in {files[0].parent}"


@contextmanager
def _opened(file: Path) -> Iterator[Cache]:
    cache = Cache(file)
    try:
        yield cache
    finally:
        cache.close()
