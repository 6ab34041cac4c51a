"""Where an archive lies: a folder, or a store in a cloud that all who read and write it know."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from typing import Final
from urllib.parse import unquote, urlsplit

from optimove_analysis.errors import InputError

__all__ = ["located", "store_options"]

_STORES: Final = ("s3", "s3a", "gs", "az", "azure", "adl", "abfs", "abfss")
"""What polars, deltalake and obstore all know."""
_MISREAD: Final = re.compile(r"%[0-9a-fA-F]{2}|[^/\\]+=")
"""What Delta Lake or polars takes for something else than a name, in the path of a table."""
_STORE: Final = re.compile(r"aws_|azure_|google_")
_CLIENT: Final = frozenset(
    [
        "allow_http",
        "allow_invalid_certificates",
        "connect_timeout",
        "default_content_type",
        "http1_only",
        "http2_keep_alive_interval",
        "http2_keep_alive_timeout",
        "http2_keep_alive_while_idle",
        "http2_max_frame_size",
        "http2_only",
        "pool_idle_timeout",
        "pool_max_idle_per_host",
        "proxy_ca_certificate",
        "proxy_excludes",
        "proxy_url",
        "randomize_addresses",
        "read_timeout",
        "timeout",
        "user_agent",
    ]
)
"""Options about HTTP, which obstore wants apart from those of the store."""
_DELTA: Final = re.compile(
    r"delta_|dynamo|max_retries|retry_timeout|backoff_config|"
    r"(aws_)?(s3_)?(mount_)?allow_unsafe_rename|(aws_)?s3_(locking_provider|get_internal_server)"
)
"""Options that deltalake alone knows."""


def located(path: str | os.PathLike[str]) -> str:
    """Return where an archive lies, as all who read and write it take it.

    >>> located("s3://bucket/archive/")
    's3://bucket/archive'
    >>> located("file:///data/my%20archive")
    '/data/my archive'

    Raises:
        InputError: it is no folder and no URI of a store that is known.
    """
    text = os.fspath(path)
    if not isinstance(text, str) or not text.strip():
        raise InputError(f"path={path!r} must be a folder or a URI, as 's3://bucket/archive'.")
    scheme, parted, rest = text.partition("://")
    if parted and scheme.lower() == "file":
        if not rest.startswith("/"):
            raise InputError(f"path={text!r} must have three slashes, as 'file:///data/archive'.")
        text, parted = unquote(rest), ""
    if not parted:
        place = os.path.abspath(os.path.expanduser(text))  # noqa: PTH100, PTH111 - a URI or a path
    elif scheme.lower() not in _STORES:
        known = ", ".join(f"{store}://" for store in _STORES)
        raise InputError(f"{scheme}:// is no store for an archive: it may be a folder, or {known}.")
    else:
        place = text.rstrip("/")
        split = urlsplit(place)
        if split.password is not None:
            raise InputError("path holds a password: give it in storage_options or environment.")
        if not split.netloc:
            raise InputError(f"path={text!r} names no bucket, as 's3://bucket/archive'.")
    if found := _MISREAD.search(place):
        raise InputError(
            f"path={place!r} cannot be used, since Delta Lake's readers do not take {found[0]!r} "
            "in it as a name: give another folder."
        )
    return place


def store_options(options: Mapping[str, str] | None) -> tuple[dict[str, str], dict[str, str]]:
    """Return options as obstore wants them: the store's, and those about HTTP.

    >>> store_options({"AWS_REGION": "eu-west-1", "AWS_ALLOW_HTTP": "true"})
    ({'aws_region': 'eu-west-1'}, {'allow_http': 'true'})
    """
    store: dict[str, str] = {}
    client: dict[str, str] = {}
    for name, value in (options or {}).items():
        lower = name.lower()
        bare = _STORE.sub("", lower, count=1)
        if bare in _CLIENT:
            client[bare] = value
        elif not _DELTA.match(lower):
            store[lower] = value
    return store, client
