"""The words of the command line, and answers to wrong ones; imports nothing heavy."""

from __future__ import annotations

import argparse
import difflib
import math
import re
import sys
from collections.abc import Iterable, Sequence
from datetime import date, timedelta
from typing import Any, Final, NoReturn

__all__ = ["Parser", "UsageError", "age", "confirmed", "day", "quota", "span", "threads"]

_KEYS: Final = {"--api-key", "--apikey", "--api_key", "--key", "--token"}
_KEY: Final = (
    " A key on a command line can be seen by every user of the machine: set OPTIMOVE_API_KEY, or "
    "store it with optimove-analysis login."
)


class UsageError(Exception):
    """A command was used wrongly, as only the command could see: exit status 2."""


class Parser(argparse.ArgumentParser):
    """A parser whose errors are one line, and which knows the word that was meant."""

    def __init__(self, **options: Any) -> None:  # noqa: ANN401 - argparse's own
        options.setdefault("formatter_class", argparse.RawDescriptionHelpFormatter)
        # An abbreviation that is clear today is not when the next option comes.
        super().__init__(**options, allow_abbrev=False)
        self._given: list[str] = []

    def parse_args(  # type: ignore[override] # argparse also fills namespaces of other types
        self, args: Sequence[str] | None = None, namespace: argparse.Namespace | None = None
    ) -> argparse.Namespace:
        """Return the options; a word that is left over is answered with the nearest known."""
        options, unknown = self.parse_known_args(args, namespace)
        if unknown:
            # Not its value: it may be a credential.
            getattr(options, "parser", self).error(f"{unknown[0].split('=')[0]} is not known here")
        return options

    def parse_known_args(  # type: ignore[override] # see above
        self, args: Sequence[str] | None = None, namespace: argparse.Namespace | None = None
    ) -> tuple[argparse.Namespace, list[str]]:
        """Return the options and the words that are left over."""
        self._given = list(sys.argv[1:] if args is None else args)
        return super().parse_known_args(args, namespace)

    def error(self, message: str) -> NoReturn:
        """Say what is wrong in one line, and end with status 2."""
        wrong = re.match(r"argument COMMAND: invalid choice: '(.*?)' \(choose from (.*)\)", message)
        if wrong:
            known = re.findall(r"[\w-]+", wrong[2])
            message = f"there is no command {wrong[1]!r}.{_near(wrong[1], known)}"
        elif message.endswith("required: COMMAND"):
            known = next(list(action.choices) for action in self._actions if action.choices)
            message = f"which command? {', '.join(known[:-1])} or {known[-1]}."
        else:
            # What is said to be missing may be there, misspelled.
            known = [name for action in self._actions for name in action.option_strings]
            for word in self._given:
                name = word.split("=")[0]
                if name.startswith("--") and name not in known:
                    hint = _KEY if name in _KEYS else _near(name, known)
                    message = f"{name} is not known here.{hint}"
                    break
        stop = "" if message.endswith(("?", ".")) else "."
        self.exit(2, f"{self.prog}: {message}{stop} See {self.prog} --help\n")


def day(text: str) -> date:
    """Return a day, for argparse."""
    try:
        return date.fromisoformat(text)
    except ValueError:
        message = f"{text!r} is not a day; give year-month-day, as 2025-12-31"
        raise argparse.ArgumentTypeError(message) from None


def age(text: str) -> timedelta | date:
    """Return an age or the day before which, for argparse.

    >>> age("90d"), age("2026-01-01")
    (datetime.timedelta(days=90), datetime.date(2026, 1, 1))
    """
    if (found := _span(text)) is not None:
        return found
    try:
        return date.fromisoformat(text)
    except ValueError:
        message = f"{text!r} is neither an age, as 90d or 12h, nor a day, as 2026-01-01"
        raise argparse.ArgumentTypeError(message) from None


def span(text: str) -> timedelta:
    """Return how long, for argparse.

    >>> span("12h"), span("0d")
    (datetime.timedelta(seconds=43200), datetime.timedelta(0))
    """
    if (found := _span(text)) is not None:
        return found
    message = f"{text!r} is no span of time; give hours, days or weeks, as 12h, 7d, 4w"
    raise argparse.ArgumentTypeError(message)


def _span(text: str) -> timedelta | None:
    found = re.fullmatch(r"(\d{1,6})([hdw])", text.strip())
    if not found:
        return None
    unit = {"h": "hours", "d": "days", "w": "weeks"}[found[2]]
    return timedelta(**{unit: int(found[1])})


def quota(text: str) -> tuple[int, float]:
    """Return requests and seconds, for argparse.

    >>> quota("2000/3600")
    (2000, 3600.0)
    """
    try:
        limit, per = text.split("/")
        pair = int(limit), float(per)
    except ValueError:
        pair = 0, 0.0
    if min(pair) <= 0 or not math.isfinite(pair[1]):
        message = f"{text!r} is not a quota; give requests/seconds, as 50/10"
        raise argparse.ArgumentTypeError(message)
    return pair


def threads(text: str) -> int:
    """Return how many threads, for argparse."""
    if re.fullmatch(r"[0-9]{1,4}", text.strip()) and int(text):
        return int(text)
    message = f"{text!r} is not a number of threads; give 1 or more, as 16"
    raise argparse.ArgumentTypeError(message)


def confirmed(question: str, *, yes: bool) -> bool:
    """Ask on the terminal whether to go on, unless that was said beforehand.

    Raises:
        UsageError: there is no terminal to ask on.
    """
    if yes:
        return True
    if not sys.stdin.isatty():
        raise UsageError(f"{question} There is no terminal to ask on: --yes answers yes.")
    print(f"{question} [y/N] ", end="", file=sys.stderr, flush=True)
    return sys.stdin.readline().strip().lower() in {"y", "yes"}


def _near(seen: str, known: Iterable[str]) -> str:
    close = difflib.get_close_matches(seen.split("=", maxsplit=1)[0], list(known), n=1)
    return f" Did you mean {close[0]}?" if close else ""
