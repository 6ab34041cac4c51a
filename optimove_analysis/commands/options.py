"""Options that several commands have; imports nothing heavy."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from optimove_analysis.commands.words import day, quota, threads

__all__ = [
    "account",
    "asking",
    "audience",
    "days",
    "ids_within",
    "instance",
    "output",
    "pseudonym_key",
    "talk",
]


def audience(parser: argparse.ArgumentParser) -> None:
    """Take customers and a range of days."""
    parser.add_argument(
        "ids", metavar="IDS", help="a file of customer ids, or - for standard input"
    )
    days(parser)
    ids_within(parser)


def asking(parser: argparse.ArgumentParser, *, kept: str) -> None:
    """Take how to ask for the answers of many customers, some of which are ``kept`` already."""
    parser.add_argument("--refresh", action="store_true", help=f"ask even for what {kept} holds")
    parser.add_argument(
        "--offline", action="store_true", help="send nothing: kept answers of any age"
    )
    parser.add_argument(
        "--on-error",
        choices=["raise", "collect"],
        help="stop at the first failure (default), or go on where it is one customer's",
    )
    parser.add_argument(
        "--failures", type=Path, metavar="FILE", help="write them as a table; implies collect"
    )


def days(parser: argparse.ArgumentParser, *, required: bool = True) -> None:
    """Take a range of days."""
    day_of: dict[str, Any] = {"type": day, "required": required, "metavar": "DAY"}
    parser.add_argument("--from", dest="start", help="first day, as 2025-01-01", **day_of)
    parser.add_argument("--to", dest="end", help="last day, as 2025-12-31", **day_of)


def ids_within(parser: argparse.ArgumentParser) -> None:
    """Take what says where ids are within their file."""
    parser.add_argument("--id-column", metavar="NAME", help="the column that holds the ids")
    parser.add_argument(
        "--no-header", action="store_true", help="the first line is an id, be it like a name"
    )


def pseudonym_key(parser: argparse.ArgumentParser) -> None:
    """Take the key for pseudonyms."""
    parser.add_argument(
        "--pseudonymise-key-file",
        type=Path,
        metavar="FILE",
        help="replace customer ids; the file's text is the key, and stays out of the snapshot",
    )


def output(parser: argparse.ArgumentParser, text: str, example: str) -> None:
    """Take the file to write."""
    parser.add_argument(
        "-o", "--output", type=Path, required=True, metavar="FILE", help=f"{text}; e.g. {example}"
    )


def talk(parser: argparse.ArgumentParser) -> None:
    """Take how much to say, and in which form."""
    parser.add_argument("--quiet", action="store_true", help="say nothing but errors and warnings")
    parser.add_argument("--json", action="store_true", help="print one JSON object at the end")


def instance(parser: argparse.ArgumentParser) -> None:
    """Take the instance."""
    parser.add_argument(
        "--instance",
        metavar="NAME",
        help="api5, an address, or sandbox (invented data); default: OPTIMOVE_INSTANCE",
    )


def account(parser: argparse.ArgumentParser, *, sends: bool = False) -> None:
    """Take the account; of a command that ``sends`` requests, how fast as well."""
    instance(parser)
    parser.add_argument(
        "--account", metavar="NAME", help="your name for the account; its cache outlives the key"
    )
    parser.add_argument("--cache-dir", type=Path, metavar="DIR", help="default: OPTIMOVE_CACHE")
    if sends:
        text = "at most so many, as 50/10 (the default); again where several limits hold at once"
        options: dict[str, Any] = {"action": "append", "type": quota, "metavar": "REQUESTS/SECONDS"}
        parser.add_argument("--quota", help=text, **options)
        parser.add_argument(
            "--threads", type=threads, metavar="N", help="requests at once; default: 16"
        )
