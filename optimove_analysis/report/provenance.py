"""What the numbers of a report rest on, so that anybody can make them again and check them."""

from __future__ import annotations

import datetime as dt
from importlib.metadata import PackageNotFoundError, version
from platform import python_version
from typing import Final, Protocol

import polars as pl

from optimove_analysis.catalogue import Catalogue
from optimove_analysis.errors import ApiError, OfflineError
from optimove_analysis.report.shown import Shown, terms

__all__ = ["Replaying", "SnapshotFacts", "provenance", "versions"]

_PACKAGES: Final = ("optimove-analysis", "polars", "altair", "vl-convert-python")


class SnapshotFacts(Protocol):
    """What a snapshot says of itself, as far as a report tells it."""

    def __fspath__(self) -> str:
        """Return its path."""

    @property
    def note(self) -> str:
        """What it is of."""

    @property
    def host(self) -> str:
        """The instance that answered."""

    @property
    def answers(self) -> int:
        """How many answers it holds."""

    @property
    def first_fetched_at(self) -> str:
        """When the oldest was fetched."""

    @property
    def last_fetched_at(self) -> str:
        """When the newest was fetched."""

    @property
    def pseudonymised(self) -> bool:
        """Whether the customer ids in it are pseudonyms."""

    @property
    def digest(self) -> str:
        """A name for its contents."""


class Replaying(Protocol):
    """A client that answers from a snapshot."""

    @property
    def about(self) -> SnapshotFacts | None:
        """What the snapshot says of itself."""

    def last_update(self) -> dt.date:
        """Return the day through which the account's data is complete."""


def provenance(
    client: Replaying, interactions: pl.DataFrame, *, catalogue: Catalogue | None = None
) -> Shown:
    """Return where the interactions of a report come from, as terms to read.

    It names no customer and reads no clock, so that the same snapshot gives the same text.

    Args:
        client: the one that replays the snapshot (``OptimoveClient.replay``).
        interactions: what it answered.
        catalogue: what the account's ids were taken to mean; None: this package's default.
    """
    facts: dict[str, str] = {}
    about = client.about
    if about is not None:
        ids = "pseudonyms in place of customer ids" if about.pseudonymised else "customer ids"
        facts["Source"] = about.host
        facts["Fetched"] = _days(about.first_fetched_at[:10], about.last_fetched_at[:10])
        facts["Snapshot"] = (
            f"{about.__fspath__().replace(chr(92), '/').rpartition('/')[2]}, "
            f"{about.answers:,} answers, with {ids}"
        )
        facts["Its digest"] = about.digest
        if about.note:
            facts["Its note"] = about.note
    facts["Data updated through"] = _updated(client)
    facts["Interactions"] = (
        f"{interactions.height:,} of {interactions['customer_id'].n_unique():,} customers"
    )
    if interactions["date"].count():
        days = interactions["date"]
        facts["Their days"] = _days(str(days.min()), str(days.max()))
    facts["Data complete through"] = _complete(interactions)
    known = Catalogue() if catalogue is None else catalogue
    whose = "this package's default" if known == Catalogue() else "the account's"
    facts["Catalogue"] = f"{known.fingerprint()}, {whose}"
    return terms(facts)


def versions() -> str:
    """Return the versions of Python, this package and those that numbers and charts rest on."""
    found = [f"Python {python_version()}"]
    for package in _PACKAGES:
        try:
            found.append(f"{package} {version(package)}")
        except PackageNotFoundError:  # run from a folder, not installed
            found.append(f"{package} (not installed)")
    return ", ".join(found)


def _complete(interactions: pl.DataFrame) -> str:
    if "data_through" not in interactions.columns or not interactions["data_through"].count():
        return "not known"
    days = interactions["data_through"]
    unknown = days.null_count()
    some = f"; not known of {unknown:,} rows" if unknown else ""
    return f"{_days(str(days.min()), str(days.max()))}{some}"


def _updated(client: Replaying) -> str:
    try:
        return str(client.last_update())
    except (ApiError, OfflineError):
        return "the account does not say, or was not asked"


def _days(first: str, last: str) -> str:
    return first if first == last else f"{first} to {last}"
