"""The keys of requests in the cache: what is asked, without host, account or credential."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from hashlib import blake2b
from json.encoder import encode_basestring_ascii

__all__ = ["key_of", "keys_of"]


def key_of(function: str, params: Mapping[str, str]) -> str:
    """Return the key of a request: what is asked, without host, account or credential."""
    asked = json.dumps([function, sorted(params.items())])
    return blake2b(asked.encode(), digest_size=20).hexdigest()


def keys_of(
    function: str, params: Mapping[str, str], name: str, values: Iterable[str]
) -> list[str]:
    """Return the keys of requests that differ in one parameter only, as `key_of` does one by one.

    >>> keys_of("f", {"b": "2"}, "a", ["1"]) == [key_of("f", {"a": "1", "b": "2"})]
    True
    """
    place = "\0"  # in no parameter, and so in the text once, in its JSON spelling
    asked = json.dumps([function, sorted({**params, name: place}.items())])
    before, after = asked.encode().split(json.dumps(place).encode())
    begun, quoted = blake2b(before, digest_size=20), encode_basestring_ascii
    keys = []
    for value in values:
        hashed = begun.copy()
        hashed.update(quoted(value).encode() + after)
        keys.append(hashed.hexdigest())
    return keys
