"""Where the API is, who asks, and where answers are kept: read once, then never changed."""

from __future__ import annotations

import ipaddress
import math
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import timedelta
from hashlib import blake2b
from numbers import Integral, Real
from pathlib import Path
from typing import Any, Final, Self, TypeAlias
from urllib.parse import urlsplit

from optimove_analysis.client.endpoints import ENGAGEMENT_METRICS_PATH, MAX_AGE, SETTLE_AFTER
from optimove_analysis.client.environment import cache_folder, read_environment, state_folder
from optimove_analysis.client.keys import find_key
from optimove_analysis.client.secret import Secret, fit, hidden
from optimove_analysis.errors import InputError

__all__ = ["QUOTA", "Limits", "Secret", "Settings", "hidden", "is_loopback", "read_environment"]

Limits: TypeAlias = "tuple[int, float] | Iterable[tuple[int, float]]"
"""(requests, seconds), or several of them, all of which hold."""

# "50 requests per 10 seconds, per API key, over a sliding window":
# developer.optimove.com/reference/understanding-api-rate-limits-at-optimove, read 2026-11.
QUOTA: Final = (50, 10.0)

_WHERE: Final = (
    "Give the instance that Optimove assigned to you, as 'api5', or its address, as "
    "'https://api5.optimove.net'; 'sandbox' starts this package's own."
)

_SANDBOX_KEY: Final = "sandbox-"
"""How the keys of this package's sandboxes begin."""
_SHORT: Final = 8
"""So many characters are shorter than any credential."""


@dataclass(frozen=True, slots=True)
class Settings:
    """What a client must know before it can ask. Make it with `Settings.of`.

    Durations are in seconds.
    """

    url: str
    """The instance's address, with no slash at its end."""
    credential: Secret
    header: str
    """The HTTP header that carries the credential."""
    cache_dir: Path
    state_dir: Path
    """Where processes of this machine tell each other what they send; no answers are in it."""
    account: str | None = None
    """The user's name for the account; it keeps the cache when the key is rotated."""
    quota: tuple[tuple[int, float], ...] = (QUOTA,)
    """So many requests in any so many seconds; where there are several, each holds."""
    timeout: float = 30.0
    """How long to wait for a connection, and for each piece of an answer."""
    threads: int = 16
    """How many requests may be under way at once."""
    engagement_metrics_path: str = ENGAGEMENT_METRICS_PATH
    """Where GetCampaignEngagementMetrics is, beneath ``/current/``."""
    settle_after: timedelta = SETTLE_AFTER
    """How long after a range's end its answers no longer change."""
    max_age: timedelta = MAX_AGE
    """How old an answer that has not settled may be, even if no data update came since."""
    offline: bool = False
    """Nothing is ever sent; kept answers are all there is, whatever their age."""
    key_source: str = "given in code"
    """Where the credential is from, in words."""
    renew: Callable[[], str] | None = None
    """Gets a new login token when the old one has aged; API keys do not."""

    @classmethod
    def of(
        cls,
        instance: str,
        api_key: str | Secret | None = None,
        *,
        token: str | Secret | Callable[[], str] | None = None,
        account: str | None = None,
        cache_dir: str | Path | None = None,
        quota: Limits = QUOTA,
        timeout: float = 30.0,
        threads: int = 16,
        engagement_metrics_path: str = ENGAGEMENT_METRICS_PATH,
        settle_after: timedelta = SETTLE_AFTER,
        max_age: timedelta = MAX_AGE,
        offline: bool = False,
    ) -> Self:
        """Check what a user gives.

        Raises:
            InputError: a missing or malformed credential, an address that is not one, plain HTTP
                to another machine, or a quota, timeout, thread count or age that is not positive.
        """
        limits = _limits(quota)
        if not _positive(threads, whole=True):
            raise InputError(f"threads={threads!r} must be a positive whole number.")
        if not _positive(timeout):
            raise InputError(f"timeout={timeout!r} must be a positive number of seconds.")
        for name, age in {"settle_after": settle_after, "max_age": max_age}.items():
            if not isinstance(age, timedelta) or age < timedelta(0):
                raise InputError(f"{name}={age!r} must be a timedelta, as timedelta(days=30).")
        if account is not None and not account.strip():
            raise InputError("account='' is blank; leave it out or give the account a name.")
        url = _address(instance)
        credential, header, key_source = _credential(
            hidden(api_key), hidden(token), url, needed=not (offline and account is not None)
        )
        if callable(token) and account is None:
            raise InputError(
                "a token that is renewed names no account, and the cache is kept by account: give "
                "account='...', any name of yours."
            )
        return cls(
            url=url,
            credential=credential,
            header=header,
            cache_dir=cache_folder(cache_dir),
            state_dir=state_folder(),
            account=account,
            quota=limits,
            timeout=timeout,
            threads=threads,
            engagement_metrics_path=engagement_metrics_path.strip("/"),
            settle_after=settle_after,
            max_age=max_age,
            offline=offline,
            key_source=key_source,
            renew=token if callable(token) else None,
        )

    @property
    def cache_name(self) -> str:
        """The name of this account's cache file: readable, and telling nothing of the credential.

        Two credentials never share a file, unless the user says with ``account`` that they are
        one account's. A sandbox's port does not count: one of the same world has the same key on
        whatever port. Other addresses of this machine may be gateways to different accounts.
        """
        parts = urlsplit(self.url)
        host = parts.hostname or ""
        sandbox = is_loopback(host) and self.credential.reveal().startswith(_SANDBOX_KEY)
        place = host + parts.path if sandbox else self.url
        account = None if sandbox else self.account  # another sandbox's key is another world
        known_by = self.credential.reveal() if account is None else account
        kind = self.header if account is None else "account"
        name = re.sub(r"[^A-Za-z0-9]+", "-", f"{host} {self.account or ''}").strip("-")[:60]
        return f"{name}-{_digest(kind, known_by, place)[:16]}.sqlite"

    @property
    def quota_name(self) -> str:
        """A name that clients with the same instance and credential share, and no others."""
        # A renewed token is another credential, of the same quota.
        known_by = self.credential.reveal() if self.renew is None else str(self.account)
        return _digest(self.header, known_by, self.url)


def _limits(quota: Any) -> tuple[tuple[int, float], ...]:  # noqa: ANN401 - whatever a user gives
    """Return one limit or several as a tuple of (requests, seconds)."""
    try:
        listed = list(quota)
        pairs = [(limit, per) for limit, per in ([listed] if _is_pair(listed) else listed)]
    except (TypeError, ValueError):
        pairs = []
    fine = (_positive(limit, whole=True) and _positive(per) for limit, per in pairs)
    if not pairs or not all(fine):
        raise InputError(
            f"quota={quota!r} must be (requests, seconds), as {QUOTA!r}, or a list of such pairs; "
            "both are positive, requests are whole."
        )
    return tuple((int(limit), float(per)) for limit, per in pairs)


def _is_pair(listed: list[Any]) -> bool:
    return len(listed) == len(QUOTA) and all(isinstance(value, Real) for value in listed)


def _positive(*values: object, whole: bool = False) -> bool:
    return all(
        isinstance(value, Integral if whole else Real)
        and not isinstance(value, bool)
        and 0 < float(value) < math.inf
        for value in values
    )


def _credential(
    api_key: Secret | None, token: Secret | Callable[[], str] | None, url: str, *, needed: bool
) -> tuple[Secret, str, str]:
    """Return the credential, its header and where it is from: given, or as `find_key` finds it.

    Not ``needed``: there may be none, and the keyring, which may ask to be unlocked, is let be.
    """
    if api_key is not None and token is not None:
        raise InputError("both api_key and token are given; give one of them.")
    if callable(token):
        # Got when it is first needed.
        return Secret(""), "Authorization-Token", "got from a function, given in code"
    source, given = "given in code", api_key if token is None else token
    if isinstance(given, Secret) and not given.reveal().strip():
        given = None
    if given is None and token is None:
        found = find_key(url, keyring=needed)
        if found is not None:
            given = Secret(found.value)
            in_words = f"OPTIMOVE_API_KEY in {found.source}"
            source = found.source if "keyring" in found.source else in_words
    if given is None and not needed:
        return Secret(""), "X-API-KEY", "none is needed offline"
    if given is None:
        raise InputError(
            f"there is no API key for {url}: set OPTIMOVE_API_KEY in the environment or in a .env "
            "file in the working folder, or store it in the keyring with optimove-analysis login; "
            "in Python also api_key=... The sandbox needs none."
        )
    return fit(given), "X-API-KEY" if token is None else "Authorization-Token", source


def _address(instance: str) -> str:
    if not isinstance(instance, str):
        raise InputError(f"an instance must be text, not {type(instance).__name__}. {_WHERE}")
    text = instance.strip().rstrip("/")
    if re.fullmatch(r"api\d+", text, flags=re.IGNORECASE):
        return f"https://{text.lower()}.optimove.net"
    if "://" not in text and "." in text:
        text = f"https://{text}"
    try:
        parts = urlsplit(text)
        port, host = parts.port, parts.hostname
    except ValueError:
        raise InputError(f"the instance is not an address. {_WHERE}") from None
    if parts.username or parts.password:
        raise InputError("an address must not hold a user name or password; give api_key=...")
    if parts.scheme not in {"http", "https"} or not host or parts.query or parts.fragment:
        # Key and instance get swapped, and keys get into addresses: neither is quoted.
        seen = host or (text if len(text) <= _SHORT else f"{text[:2]}...")
        raise InputError(f"{seen!r} is not an instance of Optimove's API. {_WHERE}")
    if parts.scheme == "http" and not is_loopback(host):
        raise InputError(
            f"http://{host} is plain HTTP, which would send the API key in clear; "
            f"use https://{host}."
        )
    shown = f"[{host}]" if ":" in host else host
    path = parts.path.rstrip("/").removesuffix("/current")
    return f"{parts.scheme}://{shown}{f':{port}' if port else ''}{path}"


def is_loopback(host: str) -> bool:
    """Tell whether a host is this machine."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _digest(kind: str, secret: str, place: str) -> str:
    # Keyed by what is secret, so that the name on disk is no hash of the place that could be
    # compared between users, and gives nothing of the key away.
    key = blake2b(secret.encode(), person=b"optimove-key").digest()
    return blake2b(f"{kind}\n{place}".encode(), key=key, person=b"optimove-name").hexdigest()
