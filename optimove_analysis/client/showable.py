"""What of a response can be shown: no credential, no cookie, no address that carries a session."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from optimove_analysis.client.secret import Secret
from optimove_analysis.errors import InputError

__all__ = ["check_no_credential", "showable_body", "showable_headers"]

# What is known to carry no secret. An address or a cookie may, and so may what we do not know.
_SHOWN: Final = {
    *("age", "allow", "cache-control", "connection", "content-encoding", "content-language"),
    *("content-length", "content-type", "date", "etag", "expires", "keep-alive", "last-modified"),
    *("pragma", "retry-after", "server", "transfer-encoding", "vary"),
}
_COUNTERS: Final = ("ratelimit", "x-ratelimit", "x-rate-limit")
_SHORTEST: Final = 8
"""Characters: a shorter credential is no real one, and may well be within what is asked."""


def showable_headers(
    headers: Mapping[str, str], credential: Secret
) -> tuple[dict[str, str], tuple[str, ...]]:
    """Return the headers that can be shown, and the names of the others.

    >>> showable_headers({"Content-Type": "text/plain", "Set-Cookie": "a=b"}, Secret(""))
    ({'Content-Type': 'text/plain'}, ('Set-Cookie',))
    """
    harmless = [
        name for name in headers if name.lower() in _SHOWN or name.lower().startswith(_COUNTERS)
    ]
    shown = {credential.redact(name): credential.redact(headers[name]) for name in harmless}
    return shown, tuple(credential.redact(name) for name in headers if name not in harmless)


def showable_body(body: bytes, credential: Secret) -> bytes:
    """Return a body with the credential masked, be it no text; any other stays byte for byte."""
    text = body.decode("utf-8", "surrogateescape")
    masked = credential.redact(text)
    return body if masked == text else masked.encode("utf-8", "surrogateescape")


def check_no_credential(given: Mapping[str, str], credential: Secret) -> None:
    """Raise if a parameter holds the credential, before it is in an address and in the cache."""
    if not credential.known or len(credential.reveal()) < _SHORTEST:
        return
    for name, text in given.items():
        if credential.redact(text) != text:
            raise InputError(
                f"{name} holds the API key, which does not belong there: it would be in addresses, "
                "logs and the cache. It is sent in a header, by itself."
            )
