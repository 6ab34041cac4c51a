"""Pseudonyms in the place of customer ids: the same customer, the same pseudonym, under one key.

A pseudonym is a keyed hash of 96 bits: two customers share one with a chance of less than one in a
billion billion among a hundred million, and without the key it leads back to nobody.

**What it protects against**: whoever has the snapshot and not the key learns no customer id from
it, not even by trying all ids there are.

**What it does not**: whoever has the key can tell whose a pseudonym is, by trying ids. Whoever has
other data of these customers (the cache, the snapshot without pseudonyms) can tell by what they
did and when: it is pseudonymisation, not anonymisation. Names, addresses and other personal data in
an answer stay. And a key that can be guessed is none: use `new_pseudonym_key`.

**Where ids are replaced.** In parameters and fields named CustomerID; and any value or field name
that is equal to an id that the snapshot knows, as text or as a number. Within longer texts (notes,
addresses of pages) an id of 5 characters or more is replaced where it stands as a whole word, as it
was asked; a shorter one is not, for it would be found in every other text, nor is one in another
case or encoding. Fields that the data dictionary knows as numbers, days, times or flags stay: a
ChannelID of 7 is no customer, whatever ids there are. Bodies that name nobody stay byte for byte;
others are written again, number for number.
"""

from __future__ import annotations

import re
import secrets
from collections.abc import Collection, Iterable, Mapping
from decimal import Decimal
from hashlib import blake2b
from typing import Any, Final, TypeAlias

import polars as pl

from optimove_analysis.client.convert import loads, to_json
from optimove_analysis.client.responses import ResponseFormat
from optimove_analysis.client.settings import Secret
from optimove_analysis.errors import InputError
from optimove_analysis.schema import INTERACTIONS, TABLES

__all__ = ["Key", "Pseudonyms", "Rewriter", "ids_in", "new_pseudonym_key", "pseudonym"]

Key: TypeAlias = str | bytes | Secret
"""At least 16 bytes that nobody can guess; text counts as UTF-8."""

_SHORTEST: Final = 16
"""Bytes of a key."""
_PSEUDONYM: Final = re.compile(r"p-[0-9a-f]{24}")
_WORD: Final = 5
"""An id of so many characters is looked for within texts."""
_LONGEST_NUMBER: Final = 64
"""Digits; a longer number is no id, and writing it out may take for ever."""
_STARTS: Final = re.compile(r"(?<!\w)(?=.)", re.DOTALL)
_GOES_ON: Final = re.compile(r"\w")
"""Where a word may start, and whether one goes on: an id may have other characters in it."""
_NAMES: Final = {"customerid", "customerids"}
"""Fields that hold customer ids, without regard to case and punctuation."""
_MAY_NAME: Final = re.compile(
    rb"[\W_]*".join(bytes([letter]) for letter in b"customerid"), re.IGNORECASE
)
"""What a body in plain ASCII has that has such a field; most bodies need not be read to tell."""


def new_pseudonym_key() -> str:
    """Return a key that nobody can guess: 256 bits, as text. Keep it apart from the snapshot.

    >>> len(new_pseudonym_key())
    43
    """
    return secrets.token_urlsafe(32)


def pseudonym(customer_id: str | int, key: Key) -> str:
    """Return the pseudonym of a customer under a key.

    >>> pseudonym(841231, "an example, not a key to use")
    'p-318ea4628b78ab7c1016c58c'

    Raises:
        InputError: the key is shorter than 16 bytes, or is none.
    """
    return Pseudonyms(key).of(str(customer_id))


class Pseudonyms:
    """The pseudonyms under one key; it shows the key to nobody.

    Args:
        key: text counts as UTF-8.

    Raises:
        InputError: it is shorter than 16 bytes, or is no key at all; it is not quoted.
    """

    def __init__(self, key: Key) -> None:
        given: Any = key.reveal() if isinstance(key, Secret) else key
        if not isinstance(given, str | bytes):
            raise InputError(
                f"a key for pseudonyms is text or bytes, not {type(given).__name__}; "
                "new_pseudonym_key() makes one."
            )
        material = given.encode("utf-8", "surrogatepass") if isinstance(given, str) else given
        if len(material) < _SHORTEST:
            raise InputError(
                f"a key for pseudonyms has at least {_SHORTEST} bytes, this one has "
                f"{len(material)}: it could be guessed. new_pseudonym_key() makes one."
            )
        # blake2b takes keys of at most 64 bytes; of a longer one all bytes are to count.
        master = blake2b(material, person=b"oma-pseudonyms").digest()
        self._hash = blake2b(key=master, digest_size=12, person=b"oma-customer-id")
        self.check: Final = blake2b(key=master, digest_size=16, person=b"oma-key-check").hexdigest()
        """Tells another key from this one, and nothing else of it."""

    def of(self, customer_id: str) -> str:
        """Return the pseudonym of a customer."""
        hashed = self._hash.copy()
        hashed.update(customer_id.encode("utf-8", "surrogatepass"))
        return f"p-{hashed.hexdigest()}"

    def asked(self, ids: Iterable[str]) -> dict[str, str]:
        """Return pseudonym to id as it was asked; one may ask by either, and has each once."""
        asked: dict[str, str] = {}
        for one in ids:
            asked.setdefault(one if _PSEUDONYM.fullmatch(one) else self.of(one), one)
        return asked


def ids_in(params: Mapping[str, str], body: bytes) -> set[str]:
    """Return the customers whom a request and its answer name as such.

    Raises:
        ValueError: the body is no JSON; not for every one that is none.
    """
    found = {value for name, value in params.items() if _is_id(name)}
    if body.isascii() and b"\\" not in body and not _MAY_NAME.search(body):
        return found
    waiting: list[tuple[object, bool]] = [(loads(body), False)]
    while waiting:
        value, is_id = waiting.pop()
        if isinstance(value, dict):
            waiting += [(item, is_id or _is_id(name)) for name, item in value.items()]
        elif isinstance(value, list):
            waiting += [(item, is_id) for item in value]
        elif is_id and (text := _text(value)):
            found.add(text)
    return found


class Rewriter:
    """Puts pseudonyms in the place of ids, in requests and in answers.

    >>> hidden = Rewriter(Pseudonyms("an example, not a key to use"), {"841231", "7"})
    >>> hidden.body(b'[{"CustomerID": 7, "ChannelID": 7, "Paid": 1.50, "To": "friend 841231"}]')
    b'[{"CustomerID": "p-be0ca87fe4cce9d191722092", "ChannelID": 7, "Paid": 1.50,
        "To": "friend p-318ea4628b78ab7c1016c58c"}]'

    Args:
        pseudonyms: what to put there.
        ids: those that are known, and replaced wherever they stand.
        formats: the account's own; the fields that they know as numbers stay.
    """

    def __init__(
        self,
        pseudonyms: Pseudonyms,
        ids: Collection[str],
        formats: Iterable[ResponseFormat] = (),
    ) -> None:
        self._of = pseudonyms.of
        self._ids = frozenset(ids)
        self._lengths = sorted({len(one) for one in ids if len(one) >= _WORD}, reverse=True)
        self._fixed = _fixed(formats)

    def params(self, params: Mapping[str, str]) -> dict[str, str]:
        """Return a request's parameters; their order stays."""
        return {name: self._of(value) if _is_id(name) else value for name, value in params.items()}

    def body(self, body: bytes) -> bytes:
        """Return an answer.

        Raises:
            ValueError: it is no JSON.
        """
        content = loads(body)
        try:
            hidden = self._value(content, is_id=False)
        except RecursionError as error:
            raise ValueError("it is nested too deep") from error
        return body if hidden is content else to_json(hidden).encode()

    def text(self, text: str) -> str:
        """Return a text: a pseudonym if it is an id, else with pseudonyms for those within it."""
        if text in self._ids:
            return self._of(text)
        if not self._lengths or len(text) < self._lengths[-1]:
            return text
        parts: list[str] = []
        taken = 0
        for start in map(re.Match.start, _STARTS.finditer(text)):
            if start < taken:
                continue
            for length in self._lengths:
                end = start + length
                fits = end <= len(text) and not _GOES_ON.match(text, end)
                if fits and text[start:end] in self._ids:
                    parts += [text[taken:start], self._of(text[start:end])]
                    taken = end
                    break
        return "".join([*parts, text[taken:]]) if parts else text

    def _value(self, value: Any, *, is_id: bool) -> Any:  # noqa: ANN401 - JSON is anything
        """Return the very same value if there is nothing to hide in it."""
        if isinstance(value, dict):
            items = {}
            for name, item in value.items():
                if name in self._fixed and not isinstance(item, dict | list):
                    items[name] = item
                elif name in self._fixed or _is_id(name):
                    items[name] = self._value(item, is_id=is_id or _is_id(name))
                else:
                    items[self.text(name)] = self._value(item, is_id=is_id)
            same = items.keys() == value.keys()
            return value if same and all(items[name] is value[name] for name in value) else items
        if isinstance(value, list):
            listed = [self._value(item, is_id=is_id) for item in value]
            return value if all(map(_same, listed, value)) else listed
        text = _text(value)
        if not text:
            return value
        if is_id or text in self._ids:
            return self._of(text)
        return self.text(value) if isinstance(value, str) else value


def _fixed(formats: Iterable[ResponseFormat]) -> set[str]:
    """Return the fields whose values are known to be no ids of customers, and no free text."""
    fixed = {
        column.api
        for table in TABLES
        for column in table.columns
        if column.api and column.dtype != pl.String
    }
    for form in formats:
        fixed |= {
            field
            for field, name in form.fields.items()
            if name in INTERACTIONS.names and INTERACTIONS[name].dtype != pl.String
        }
    return {field for field in fixed if not _is_id(field)}


def _is_id(name: str) -> bool:
    return re.sub(r"[\W_]", "", name).casefold() in _NAMES


def _text(value: object) -> str | None:
    """Return a JSON value as the text that an id is, or None where it cannot be one."""
    if isinstance(value, str):
        return value
    if type(value) is int:  # a bool is an int to isinstance
        return str(value) if value.bit_length() <= 4 * _LONGEST_NUMBER else None
    if isinstance(value, Decimal) and abs(value.adjusted()) < _LONGEST_NUMBER:
        return str(int(value)) if value == int(value) else str(value)
    return None


def _same(one: object, other: object) -> bool:
    return one is other
