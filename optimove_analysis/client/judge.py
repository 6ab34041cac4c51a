"""What an answer is worth: complete, to be asked for again, or an error that says what to check."""

from __future__ import annotations

import email.utils
import re
from datetime import UTC, datetime
from typing import Final, Literal, TypeAlias
from urllib.parse import urlsplit, urlunsplit

import requests

from optimove_analysis.client.convert import loads
from optimove_analysis.client.settings import Settings
from optimove_analysis.errors import (
    ApiError,
    AuthError,
    OptimoveAnalysisError,
    QuotaError,
    ResponseError,
)

__all__ = ["TRIES", "Shape", "TryAgainError", "judge"]

Shape: TypeAlias = Literal["list", "object"]
"""What an answer's JSON is: a list of objects, or one object."""

TRIES: Final = 5
"""So often a request is sent before the failure is the user's."""
_QUOTED: Final = 200
"""So many characters of an unwanted answer are shown."""
_LOOKED_AT: Final = 4096
"""So many bytes of a body are searched for what to show: ample for 400 characters."""
_CHECK: Final = "Is the instance right, and does no proxy or login page stand in between?"


class TryAgainError(Exception):
    """A failure that may pass; never leaves the session.

    ``error`` is for the user if it does not pass; ``wait`` is for how many seconds the server asks
    to wait, if it does.
    """

    def __init__(self, error: OptimoveAnalysisError, wait: float | None = None) -> None:
        super().__init__(str(error))
        self.error = error
        self.wait = wait


def judge(response: requests.Response, asked: str, shape: Shape, settings: Settings) -> None:
    """Return if the answer has status 200 and is JSON, whole and of the right shape; else raise.

    Raises:
        TryAgainError: 429, 5xx, or JSON that is cut short.
        AuthError, ResponseError, ApiError: asking again would not help.
    """
    status, said = response.status_code, _quoted(response, settings)
    if status == requests.codes.ok:
        _judge_body(response, asked, shape, said)
    elif status == requests.codes.too_many_requests:
        limit, per = settings.quota[0]
        raise TryAgainError(
            QuotaError(
                f"{asked}: the API keeps answering 429, too many requests, although this client "
                f"sends no more than {limit} in {per:g} s. If something else uses the same key, "
                f"give each a part: quota=({max(1, limit // 2)}, {per}). The API said: {said}",
                status=status,
            ),
            _retry_after(response),
        )
    elif status >= requests.codes.internal_server_error:
        error = ApiError(f"{asked}: the API keeps failing ({status}): {said}", status=status)
        raise TryAgainError(error, _retry_after(response))
    elif status in {requests.codes.unauthorized, requests.codes.forbidden}:
        problem = (
            "is not accepted (401). Is it this instance's, complete, and neither rotated, disabled "
            "nor deleted?"
            if status == requests.codes.unauthorized
            else "is not allowed this call (403). Has it the access type that the call needs?"
        )
        raise AuthError(f"{asked}: the credential {problem} The API said: {said}", status=status)
    elif requests.codes.multiple_choices <= status < requests.codes.bad_request:
        to = settings.credential.redact(_place(response.headers.get("Location", "nowhere")))
        raise ResponseError(
            f"{asked}: the API redirects ({status}) to {to}, which is not followed, since the "
            f"credential would go there too. {_CHECK}",
            status=status,
        )
    elif response.content.lstrip().startswith(b"<"):
        raise ResponseError(
            f"{asked}: the answer is a page ({status}), which is not the API's: {said} {_CHECK}",
            status=status,
        )
    else:
        raise ApiError(f"{asked}: the API answered {status} and said: {said}", status=status)


def _judge_body(response: requests.Response, asked: str, shape: Shape, said: str) -> None:
    body, status = response.content.lstrip(), response.status_code
    try:
        content = loads(response.content)
    except ValueError as error:
        begun = body.startswith((b"[", b"{"))
        what = "JSON that is cut short or broken" if begun else "something that is not JSON"
        wrong = ResponseError(
            f"{asked}: the API answered 200 with {what if body else 'an empty body'}: {said} "
            f"({error}) {_CHECK}",
            status=status,
        )
        if begun:  # the rest may have been lost on the way
            raise TryAgainError(wrong) from error
        raise wrong from error
    rows = isinstance(content, list) and all(isinstance(row, dict) for row in content)
    if not (rows if shape == "list" else isinstance(content, dict)):
        wanted = "a list of objects" if shape == "list" else "an object"
        raise ResponseError(
            f"{asked}: {wanted} is documented; the API answered 200 with something else: {said}",
            status=status,
        )


def _retry_after(response: requests.Response) -> float | None:
    """Return for how many seconds the server asks to wait, if it does: a number, or a date."""
    text = response.headers.get("Retry-After", "").strip()
    if re.fullmatch(r"[0-9]{1,9}", text):
        return float(text)
    then = _time(text)
    if then is None:
        return None
    # By the server's own clock where it shows it: this computer's may be wrong.
    now = _time(response.headers.get("Date", "")) or datetime.now(UTC)
    return max(0.0, (then - now).total_seconds())


def _time(text: str) -> datetime | None:
    try:
        time = email.utils.parsedate_to_datetime(text)
    except (ValueError, OverflowError):  # the latter for a zone that is out of this world
        return None
    return time if time.tzinfo else time.replace(tzinfo=UTC)


def _place(location: str) -> str:
    """Return where an address leads, without what it carries: that may be a session's secret."""
    try:
        parts = urlsplit(location)
    except ValueError:
        return "what is no address"
    return urlunsplit((parts.scheme, parts.netloc.rpartition("@")[2], parts.path, "", ""))


def _quoted(response: requests.Response, settings: Settings) -> str:
    """Return the start of a body, on one line, and without the credential if it is in it."""
    text = settings.credential.redact(response.content[:_LOOKED_AT].decode("utf-8", "replace"))
    text = " ".join(text[: _QUOTED * 2].split())
    shown = text[:_QUOTED] + ("..." if len(text) > _QUOTED else "")
    return repr(shown) if shown else "nothing."
