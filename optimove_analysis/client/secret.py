"""A credential that shows itself to nobody."""

from __future__ import annotations

import hmac
import html
import json
from typing import Any, NoReturn, Self
from urllib.parse import quote

from optimove_analysis.errors import InputError

__all__ = ["Secret", "fit", "hidden"]


class Secret:
    """A credential that shows itself to nobody: not when printed, not when pickled.

    >>> Secret("open sesame")
    Secret('***')
    >>> Secret("open sesame").reveal()
    'open sesame'
    """

    __slots__ = ("_past", "_value")

    def __init__(self, value: str) -> None:
        self._value = value
        self._past: tuple[str, ...] = ()

    def reveal(self) -> str:
        """Return the credential in clear."""
        return self._value

    def redact(self, text: str) -> str:
        """Return the text with the credential, and those before it, masked wherever they occur."""
        for value in filter(None, (self._value, *self._past)):
            # Also as an address, a page or JSON would hold it.
            for form in (value, quote(value, safe=""), html.escape(value), json.dumps(value)[1:-1]):
                text = text.replace(form, "***")
        return text

    @property
    def known(self) -> bool:
        """Whether there is one: a login's token is got when it is first needed."""
        return bool(self._value)

    @property
    def generation(self) -> int:
        """How many others were in its place before."""
        return len(self._past)

    def renew(self, value: str) -> None:
        """Put another credential in its place: a login's token has aged.

        Raises:
            InputError: it is no text that a header can hold.
        """
        given = hidden(value)
        del value  # a traceback shows it, if it is no text that a header can hold
        new = fit(given)
        self._past = (*self._past, self._value)
        self._value = new.reveal()

    def __repr__(self) -> str:
        return "Secret('***')"

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Secret):
            return NotImplemented
        return hmac.compare_digest(self._value.encode(), other._value.encode())

    def __hash__(self) -> int:
        return hash(self._value)

    def __copy__(self) -> Self:
        return self

    def __deepcopy__(self, memo: dict[int, object]) -> Self:
        return self

    def __reduce__(self) -> NoReturn:
        raise TypeError("a credential is not pickled: read it from the environment where needed.")


def hidden(value: Any) -> Any:  # noqa: ANN401 - whatever a user gives
    """Return a text as a secret, anything else as it is."""
    return Secret(value) if isinstance(value, str) else value


def fit(value: Any) -> Secret:  # noqa: ANN401 - whatever a user gives
    """Return a credential as a header can hold it, or raise without quoting it."""
    if not isinstance(value, Secret):
        raise InputError(f"an API key must be text, this one is of type {type(value).__name__}.")
    fit = Secret(value.reveal().strip())
    # requests would quote such a key in its own error.
    if not (fit.known and fit.reveal().isascii() and fit.reveal().isprintable()):
        raise InputError("the API key holds characters that no HTTP header may; copy it again.")
    return fit
