"""What came back of one request, to be looked at: status, headers, body, and what it cost."""

from __future__ import annotations

import html
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from http import HTTPStatus
from typing import Any, Final

import polars as pl

__all__ = ["Reply"]

_SHOWN: Final = 2_000
"""So many characters of a body are shown."""
_STYLE: Final = "overflow: auto; max-height: 24em; white-space: pre-wrap; word-break: break-word"


@dataclass(frozen=True, slots=True, repr=False)
class Reply:
    """One answer of the API as it came, an error's too; no credential is anywhere in it.

    Where the server repeats the credential in a header or the body, it is masked there.
    """

    endpoint: str
    """The function's name."""
    method: str
    url: str
    status: int
    problem: str
    """What is wrong, in plain words, and what to do about it; empty where nothing is."""
    headers: Mapping[str, str]
    """Those that carry no secret; of a kept answer there are none."""
    withheld: tuple[str, ...]
    """The names of the headers that are left out, since they may carry one."""
    body: bytes
    seconds: float
    """From the call to the answer, with the waits for the quota and between tries."""
    tries: int
    """How many responses came; 0: no request was sent."""
    kept_at: datetime | None
    """When a kept answer was fetched; None: it is new."""
    quota_left: int
    """How many further requests can be sent at once."""
    quota: tuple[int, float]
    """So many requests in any so many seconds; where several limits hold, the shortest one."""
    _read: Callable[[], pl.DataFrame] = field(compare=False)

    @property
    def from_cache(self) -> bool:
        """Whether it is a kept answer, for which nothing was sent."""
        return self.kept_at is not None

    @property
    def ok(self) -> bool:
        """Whether the answer is what the function documents."""
        return self.status == HTTPStatus.OK and not self.problem

    @property
    def text(self) -> str:
        """The body as text; what is not UTF-8 is replaced."""
        return self.body.decode("utf-8", "replace")

    def json(self) -> Any:  # noqa: ANN401 - JSON is anything
        """Return the body's content.

        Raises:
            ValueError: it is not JSON; the bodies of errors may be plain text.
        """
        return json.loads(self.body)

    def frame(self) -> pl.DataFrame:
        """Return the typed table that the answer makes, as the client's own methods do.

        Raises:
            InputError: the API answered with an error, or this package has no table for the
                function's answers.
            SchemaError, ResponseError: the answer is not what is documented.
        """
        return self._read()

    def facts(self) -> dict[str, str]:
        """Return what is to be known of it beside the body, in words.

        Status, time, where it is from, and what is left of the quota.
        """
        most, per = self.quota
        return {
            "Status": _status(self.status),
            "Time": _time(self.seconds),
            "Answered by": self._origin(),
            "Size": f"{len(self.body):,} bytes",
            "Requests left": f"{self.quota_left:,} of {most:,} in {per:g} s",
        }

    def __repr__(self) -> str:
        facts = self.facts()
        said = [f"{facts['Status']} from {facts['Answered by']}", facts["Size"], facts["Time"]]
        left = f"{facts['Requests left'].replace(' of', ' requests left of')}"
        return f"<Reply to {self.method} {self.url}: {', '.join(said)}; {left}>"

    def _repr_html_(self) -> str:
        rows = {"Request": f"{self.method} {self.url}"} | self.facts()
        if self.problem:
            rows["Problem"] = self.problem
        lines = "".join(
            f'<tr><th scope="row" style="text-align: left; vertical-align: top">{html.escape(name)}'
            '</th><td style="text-align: left; word-break: break-word">'
            f"{html.escape(text)}</td></tr>"
            for name, text in rows.items()
        )
        more = len(self.text) - _SHOWN
        rest = f"\n... and {more:,} characters more: .text has all" if more > 0 else ""
        body = html.escape(self.text[:_SHOWN] + rest)
        return (
            f'<table>{lines}</table><pre tabindex="0" aria-label="Body" style="{_STYLE}">'
            f"{body or 'There is no body.'}</pre>"
        )

    def _origin(self) -> str:
        if self.kept_at is not None:
            return f"the cache, as fetched {self.kept_at:%Y-%m-%d %H:%M:%S}"
        return "the API" if self.tries <= 1 else f"the API, at try {self.tries}"


def _status(status: int) -> str:
    try:
        return f"{status} {HTTPStatus(status).phrase}"
    except ValueError:  # a number that nobody has given a meaning
        return str(status)


def _time(seconds: float) -> str:
    if seconds < 0.001:  # noqa: PLR2004 - of a kept answer, often
        return "under 1 ms"
    return f"{seconds * 1000:.0f} ms" if seconds < 1 else f"{seconds:.1f} s"
