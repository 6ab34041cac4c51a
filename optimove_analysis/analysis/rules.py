"""How messages are counted: the options that funnel, mix and all the others share."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Final, Literal, TypeAlias, get_args

from optimove_analysis.catalogue import Catalogue
from optimove_analysis.errors import InputError
from optimove_analysis.schema import STAGES, Stage

__all__ = ["MOST_DAYS", "Implied", "Opens", "Rules"]

Implied: TypeAlias = Literal["lower", "none"]
Opens: TypeAlias = Literal["trust", "ignore"]

MOST_DAYS: Final = 1_000_000
"""Days that can be added to a date of ours (to the year 2738) on every engine."""


@dataclass(frozen=True, slots=True)
class Rules:
    """How messages are counted; see the arguments of `funnel`."""

    window: int | None
    as_of: dt.date | None
    implied: Implied
    assume_sent: bool | None
    opens: Opens
    catalogue: Catalogue

    def __post_init__(self) -> None:
        if self.window is not None and (
            isinstance(self.window, bool)
            or not isinstance(self.window, int)
            or not 0 <= self.window <= MOST_DAYS
        ):
            message = (
                f"window={self.window!r} must be a number of days, 0 to {MOST_DAYS:,}, or None."
            )
            raise InputError(message)
        if self.as_of is not None and type(self.as_of) is not dt.date:
            message = f"as_of={self.as_of!r} must be a datetime.date or None."
            raise InputError(message)
        if self.implied not in get_args(Implied):
            raise InputError.option("implied", self.implied, get_args(Implied))
        if self.opens not in get_args(Opens):
            raise InputError.option("opens", self.opens, get_args(Opens))
        if not isinstance(self.catalogue, Catalogue):
            message = f"catalogue={self.catalogue!r} must be a Catalogue."
            raise InputError(message)
        if self.assume_sent is not None and not isinstance(self.assume_sent, bool):
            raise InputError.option("assume_sent", self.assume_sent, (None, True, False))

    @property
    def stages(self) -> tuple[Stage, ...]:
        """The stages that a funnel by these rules has."""
        return STAGES if self.opens == "trust" else ("sent", "delivered", "clicked")

    @property
    def told_to_assume_sent(self) -> bool | None:
        """Whether a message with no sent row counts as sent; None: look at the whole frame."""
        if self.assume_sent is not None:
            return self.assume_sent
        reports = self.catalogue.reports_sent
        return None if reports is None else not reports
