"""One family of errors: each says what was seen, what was wanted, and what to do next."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Sequence
from typing import Final, Self

__all__ = [
    "ApiError",
    "AuthError",
    "CancelledError",
    "ConnectionFailedError",
    "InputError",
    "OfflineError",
    "OptimoveAnalysisError",
    "QuotaError",
    "ResponseError",
    "SchemaError",
]


_NAMED: Final = 5
"""So many of what is missing are named."""


def suggest(seen: str, known: Iterable[str]) -> str:
    """Return ``did you mean 'x'?`` where a known word is close, else the list of known words.

    >>> suggest("chanel_id", ["channel_id", "date"])
    "did you mean 'channel_id'?"
    >>> suggest("xyz", ["channel_id", "date"])
    "it may be 'channel_id', 'date'."
    """
    known = list(known)
    close = difflib.get_close_matches(seen, known, n=1)
    if close:
        return f"did you mean {close[0]!r}?"
    return f"it may be {', '.join(map(repr, known))}." if known else "there is none."


class OptimoveAnalysisError(Exception):
    """Anything that this package raises on purpose. Catch it to catch them all."""


class InputError(OptimoveAnalysisError, ValueError):
    """An argument that cannot be used: an empty id list, a reversed range, an unknown option."""

    @classmethod
    def option(cls, name: str, seen: object, known: Iterable[object]) -> Self:
        """Answer a wrong option with the right ones."""
        return cls(f"{name}={seen!r} is not known; {suggest(str(seen), map(str, known))}")


class SchemaError(OptimoveAnalysisError, ValueError):
    """A frame or a response that does not have the columns, fields or types it should have."""


class ApiError(OptimoveAnalysisError):
    """The API answered, but not with what was asked for.

    ``status`` is the HTTP status, or None where the answer's status was fine and its body was not.
    """

    def __init__(self, message: str, *, status: int | None = None) -> None:
        super().__init__(message)
        self.status = status


class AuthError(ApiError):
    """The API did not accept the credential (401) or does not allow it this call (403)."""


class QuotaError(ApiError):
    """The API kept answering 429: too many requests."""


class ResponseError(ApiError):
    """The body is not what the endpoint documents: HTML, cut JSON, another shape."""


class ConnectionFailedError(OptimoveAnalysisError, ConnectionError):
    """No answer came: wrong host, no network, a timeout."""


class CancelledError(OptimoveAnalysisError):
    """The user has cancelled the work; what came until then is kept."""


class OfflineError(OptimoveAnalysisError, LookupError):
    """An answer is not kept, and nothing may be sent; ``missing`` names what was wanted."""

    def __init__(self, message: str, missing: Iterable[str] = ()) -> None:
        super().__init__(message)
        self.missing = tuple(missing)

    @classmethod
    def not_kept(cls, what: str, missing: Sequence[str], *, of: int, days: str) -> Self:
        """Say how many of what was wanted are not kept, name the first, and what to do."""
        more = f" and {len(missing) - _NAMED:,} more" if len(missing) > _NAMED else ""
        return cls(
            f"{len(missing):,} of {of:,} {what} are not kept for {days}, and nothing is sent "
            f"offline: {', '.join(missing[:_NAMED])}{more}. Ask for the same days as when they "
            "were fetched, or fetch them online.",
            missing,
        )
