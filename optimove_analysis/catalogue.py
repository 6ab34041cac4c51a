"""What an account's ids mean: an input to analysis, never a guess made in silence."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, Self, get_args

import polars as pl

from optimove_analysis.errors import InputError
from optimove_analysis.schema import (
    CHANNELS,
    EVENT_IDS,
    KIND_STAGES,
    TEST_ENVIRONMENT_CHANNELS,
    Kind,
    Meaning,
    Stage,
)

__all__ = ["Catalogue", "guess_kind"]

# In the order in which they are tried: "direct mail" is also "mail", "web push" also "push".
_KIND_WORDS: Final[tuple[tuple[str, Kind], ...]] = (
    (r"(direct|postal|voice) ?mail", "unknown"),
    (r"mail", "email"),
    (r"sms|text message|whats ?app|viber", "sms"),
    (r"web ?push|browser", "web_push"),
    (r"push", "push"),
    (r"in[- ]?app|in[- ]?platform|pop-?up|on[- ]?site", "in_app"),
    (r"call|phone|telesales", "call_centre"),
)


def guess_kind(channel_name: str) -> Kind:
    """Guess from a channel's name which stages it has; ``unknown`` has all four.

    >>> guess_kind("Web Push (Optimove)"), guess_kind("Carrier pigeon")
    ('web_push', 'unknown')
    """
    for words, kind in _KIND_WORDS:
        if re.search(words, channel_name, flags=re.IGNORECASE):
            return kind
    return "unknown"


def _check_ids(name: str, entries: object) -> None:
    if not isinstance(entries, Mapping):
        message = f"{name}={entries!r} must map ids to names, like {{504: ...}}."
        raise InputError(message)
    for key in entries:
        # The text "504" would be found in no frame, and nothing would say so.
        if not isinstance(key, int) or isinstance(key, bool):
            message = f"the id {key!r} in {name} must be a whole number."
            raise InputError(message)
        if not -(2**63) <= key < 2**63:  # as in a frame's columns
            message = f"the id {key!r} in {name} is too large for an id: it has at most 64 bits."
            raise InputError(message)


@dataclass(frozen=True, slots=True)
class Catalogue:
    """What an account's channel ids and event ids mean.

    The default is what is documented for Optimove's own test environment (channels) and what this
    package's sandbox uses (events: no public page lists them). For your account take
    ``client.catalogue()``, and give the events as your account has them.

    >>> Catalogue(channels={7: "Newsletter mail"}).kind(7)
    'email'
    >>> Catalogue().channel(9)
    'channel 9 (unnamed)'
    """

    channels: Mapping[int, str] = field(
        default_factory=lambda: {i: name for i, (name, _) in TEST_ENVIRONMENT_CHANNELS.items()}
    )
    """Channel id to name."""
    kinds: Mapping[int, Kind] = field(default_factory=dict)
    """Channel id to kind, where the name would be guessed wrong."""
    events: Mapping[int, Meaning] = field(default_factory=lambda: dict(EVENT_IDS))
    """Event id to what it means."""
    reports_sent: bool | None = None
    """Whether the account's answers hold sent events; None: look at each frame."""

    def __post_init__(self) -> None:
        for name in ("channels", "kinds", "events"):
            _check_ids(name, getattr(self, name))
        for channel_name in self.channels.values():
            if not isinstance(channel_name, str):
                message = f"the channel name {channel_name!r} must be text."
                raise InputError(message)
        for meaning in self.events.values():
            if meaning not in get_args(Meaning):
                raise InputError.option("event meaning", meaning, get_args(Meaning))
        for kind in self.kinds.values():
            if kind not in get_args(Kind):
                raise InputError.option("channel kind", kind, get_args(Kind))
        if self.reports_sent is not None and not isinstance(self.reports_sent, bool):
            raise InputError.option("reports_sent", self.reports_sent, (None, True, False))

    def channel(self, channel_id: int | None) -> str:
        """Return a channel's name; one that has none says its id."""
        if channel_id is None:
            return "channel (no id)"
        return self.channels.get(channel_id) or f"channel {channel_id} (unnamed)"

    def kind(self, channel_id: int | None) -> Kind:
        """Return a channel's kind: as set, else guessed from its name, else ``unknown``."""
        if channel_id is None:
            return "unknown"
        return self.kinds.get(channel_id) or guess_kind(self.channels.get(channel_id) or "")

    def stages(self, channel_id: int | None) -> tuple[Stage, ...]:
        """Return the stages that a channel has, in rank order."""
        return KIND_STAGES[self.kind(channel_id)]

    def event(self, event_id: int | None) -> str:
        """Return what an event id means, in words.

        >>> Catalogue().event(7), Catalogue().event(17)
        ('spam complaint', 'event 17 (unknown)')
        """
        if event_id is None:
            return "event (no id)"
        meaning = self.events.get(event_id)
        return meaning.replace("_", " ") if meaning else f"event {event_id} (unknown)"

    def ids(self, meaning: Meaning) -> list[int]:
        """Return the event ids with this meaning."""
        return [event_id for event_id, known in self.events.items() if known == meaning]

    def fingerprint(self) -> str:
        """Return twelve hex digits that stand for the content: the catalogue's version.

        Equal catalogues have the same, in whatever order their entries were given, in each process
        and on each machine; any other name, kind, meaning or id gives another. It tells no more
        than that: who has it alone can not read names out of it, but can check a guess.

        >>> Catalogue(channels={7: "Push", 8: "SMS"}, events={}).fingerprint()
        '57864e269d22'
        >>> one = Catalogue(channels={7: "Push", 8: "SMS"})
        >>> one.fingerprint() == Catalogue(channels={8: "SMS", 7: "Push"}).fingerprint()
        True
        """
        # JSON and not hash(), which is another in each process.
        text = json.dumps(self._content(), sort_keys=True, separators=(",", ":"))
        return hashlib.sha256(text.encode("ascii")).hexdigest()[:12]

    @classmethod
    def from_channels(cls, channels: pl.DataFrame, **more: Any) -> Self:  # noqa: ANN401 - the other fields, checked by __init__
        """Make a catalogue of ``client.channels()``; ``more`` are the other fields."""
        named = CHANNELS.check(channels).drop_nulls(["channel_id", "channel_name"])
        return cls(channels=dict(named.select("channel_id", "channel_name").iter_rows()), **more)

    def save(self, path: str | Path) -> None:
        """Write the catalogue as JSON, for `load`, for others and for next year."""
        Path(path).write_text(json.dumps(self._content(), indent=2) + "\n", encoding="utf-8")

    def _content(self) -> dict[str, Any]:
        return {
            "channels": dict(self.channels),
            "kinds": dict(self.kinds),
            "events": dict(self.events),
            "reports_sent": self.reports_sent,
        }

    @classmethod
    def load(cls, path: str | Path) -> Self:
        """Read a catalogue that `save` wrote, or that a person did; what is absent is default.

        Raises:
            InputError: the file is not JSON, has an unknown entry, or an id that is no number.
        """
        try:
            content = json.loads(Path(path).read_text(encoding="utf-8"))
            for name in content.keys():  # noqa: SIM118 - says at once that a list is no catalogue
                if name not in cls.__dataclass_fields__:
                    raise InputError.option("catalogue entry", name, cls.__dataclass_fields__)
            for name in ("channels", "kinds", "events"):
                if name in content:  # JSON has text keys only
                    content[name] = {int(key): value for key, value in content[name].items()}
            return cls(**content)
        except (TypeError, ValueError, AttributeError) as error:
            message = f"{path} is not a catalogue ({error}); Catalogue().save(path) writes one."
            raise InputError(message) from error
