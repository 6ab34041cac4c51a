"""A request's parameters: what each has to look like, and the answer to one that does not."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import date
from typing import Any, Final, TypeAlias

from optimove_analysis.errors import suggest

__all__ = ["Refusal", "arguments"]

Parser: TypeAlias = Callable[[str], Any]


class Refusal(Exception):  # noqa: N818 - an answer to the asker, not an error of the program
    """A status and a plain text; the bodies of errors other than 429 are not documented."""

    def __init__(self, status: int, text: str) -> None:
        super().__init__(text)
        self.status, self.text = status, text


def _text(value: str) -> str:
    if not value.strip():
        raise ValueError("it is empty")
    return value


def _day(value: str) -> date:
    try:
        day = date.fromisoformat(value)
    except ValueError:
        day = None
    if day is None or day.isoformat() != value:  # fromisoformat also reads 20250101 and 2025-W01-1
        raise ValueError("give it as YYYY-MM-DD")
    return day


def _count(value: str) -> int:
    if not (value.isascii() and value.isdecimal()) or len(value) > 18:  # noqa: PLR2004 - fits 64 bits
        raise ValueError("give a whole number")
    return int(value)


def _flag(value: str) -> bool:
    # How the value is spelled is not documented; a public client sends True.
    if value.lower() not in {"true", "false"}:
        raise ValueError("give true or false")
    return value.lower() == "true"


_PARSERS: Final[Mapping[str, Parser]] = {
    "CustomerID": _text,
    "StartDate": _day,
    "EndDate": _day,
    "Date": _day,
    "ChannelID": _count,
    "CampaignID": _count,
    "TargetGroupID": _count,
    "IncludeTemplateIDs": _flag,
    "Username": _text,
    "Password": _text,
    "$top": _count,
    "$skip": _count,
}
"""What each parameter has to look like, wherever it is used."""


def arguments(
    function: str,
    query: Iterable[tuple[str, str]],
    *,
    needs: Sequence[str],
    allows: Sequence[str] = (),
) -> dict[str, Any]:
    """Return the parameters of a request, checked and parsed.

    >>> arguments("GetX", [("Date", "2025-01-31")], needs=["Date"])
    {'Date': datetime.date(2025, 1, 31)}

    Raises:
        Refusal: 400, naming the parameter that is unknown, given twice, missing or malformed.
    """
    found: dict[str, Any] = {}
    known = (*needs, *allows)
    for name, value in query:
        if name not in known:
            hint = suggest(name, known) if known else "it takes none."
            raise Refusal(400, f"Unknown parameter {name} of {function}; {hint}")
        if name in found:
            raise Refusal(400, f"Parameter {name} is given more than once.")
        try:
            found[name] = _PARSERS[name](value)
        except ValueError as error:
            raise Refusal(400, f"Parameter {name}={value!r} cannot be read: {error}.") from None
    for name in needs:
        if name not in found:
            raise Refusal(400, f"Missing parameter {name} of {function}.")
    if "StartDate" in found and found["StartDate"] > found["EndDate"]:
        raise Refusal(400, f"StartDate {found['StartDate']} is after EndDate {found['EndDate']}.")
    return found
