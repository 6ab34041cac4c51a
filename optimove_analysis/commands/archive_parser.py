"""What the command line understands of archives; imports nothing heavy."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from typing import Final

from optimove_analysis.commands.options import account, asking, audience, days, ids_within, talk
from optimove_analysis.commands.words import Parser, day, span

__all__ = ["archive_command"]

_ARCHIVE: Final = """\
examples:
  optimove-analysis archive update years ids.csv --from 2024-01-01 --to 2025-12-31
  optimove-analysis archive info years --json
  optimove-analysis archive import years 'exports/*.parquet' --from 2020-01-01 --to 2023-12-31 \\
      --data-through 2024-01-15 --column customer_id=CUSTOMER --column date=EVENT_DATE
  optimove-analysis archive compact years --keep 30d
  optimove-analysis archive forget years 841231 --with-cache

An archive is a folder, or a URI as s3://bucket/archive, with tables that Delta Lake's readers read.
It needs the package deltalake: pip install 'optimove-analysis[archive]'
"""
_UPDATE: Final = """\
Only what the archive lacks is asked for, and what may have changed since. Answers are written in
batches, and until then kept in the cache: interrupted or killed, the same command goes on from
there. Ids, API key and exit status are as for fetch: optimove-analysis fetch --help

"""
_IMPORT: Final = """\
The files count as one export, and as the answers of an API that was asked for these days on the day
through which they are complete: they take the place of what the archive has of them.

"""
_FORGET: Final = """\
All earlier states of the archive go, as they hold the customer. The kept answers of the client are
apart: --with-cache erases there as well, from those of every account in the folder. Snapshots and
files that you wrote are yours to erase.

"""
_COMPACT: Final = """\
Removes the files of earlier states, and puts together what others have written in pieces.

"""


def archive_command(command: Callable[..., Parser]) -> None:
    """Add ``archive`` and what it does."""
    archive = command("archive", "keep years of interactions in tables that grow", _ARCHIVE)
    actions = archive.add_subparsers(
        title="actions", required=True, metavar="COMMAND", dest="action"
    )

    def action(name: str, text: str, more: str = "") -> Parser:
        made: Parser = actions.add_parser(
            name, help=text, description=f"{text[0].upper()}{text[1:]}.", epilog=more + _ARCHIVE
        )
        made.set_defaults(parser=made)
        made.add_argument("path", metavar="ARCHIVE", help="the archive's folder or URI")
        return made

    update = action("update", "fetch what the archive lacks of customers and days", _UPDATE)
    audience(update)
    _cut(update)
    asking(update, kept="the archive")
    talk(update)
    account(update, sends=True)

    info = action("info", "how much is in it, of whom, since when")
    info.add_argument("--json", action="store_true", help="print one JSON object")

    taken = action("import", "take interactions from Parquet files that you have", _IMPORT)
    taken.add_argument(
        "files", nargs="+", metavar="FILES", help="a file, a folder, or a pattern in quotes"
    )
    days(taken)
    taken.add_argument(
        "--data-through",
        type=day,
        required=True,
        metavar="DAY",
        help="the day through which they are complete",
    )
    taken.add_argument(
        "--column",
        type=_pair,
        action="append",
        default=[],
        metavar="OURS=THEIRS",
        help="which of their columns is ours; again for more",
    )
    taken.add_argument(
        "--customers",
        dest="ids",
        metavar="IDS",
        help="a file of all whom they are complete for; default: those who occur",
    )
    ids_within(taken)
    _cut(taken)
    talk(taken)

    compact = action("compact", "free the room that earlier states take", _COMPACT)
    compact.add_argument(
        "--keep",
        type=span,
        default="7d",
        metavar="AGE",
        help="keep what was the latest state then, as 7d (the default), 12h, 0d",
    )
    talk(compact)

    forget = action("forget", "erase customers, and all earlier states with them", _FORGET)
    forget.add_argument("customer_ids", nargs="*", metavar="ID", help="an id, zeros included")
    forget.add_argument("--customers", dest="ids", metavar="IDS", help="a file of ids, or -")
    ids_within(forget)
    forget.add_argument(
        "--with-cache", action="store_true", help="erase them from the kept answers as well"
    )
    # As `cache forget --all`: no account is named, and no key is needed.
    forget.add_argument("--cache-dir", metavar="DIR", help="default: OPTIMOVE_CACHE")
    forget.add_argument("--yes", action="store_true", help="do not ask")


def _cut(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--buckets",
        type=int,
        metavar="N",
        help="parts that a new archive is cut into; default: 16, for up to some million customers",
    )


def _pair(text: str) -> tuple[str, str]:
    ours, equals, theirs = (part.strip() for part in text.partition("="))
    if ours and equals and theirs:
        return ours, theirs
    message = f"{text!r} names no columns; give ours=theirs, as customer_id=CUSTOMER"
    raise argparse.ArgumentTypeError(message)
