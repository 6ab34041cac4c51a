"""The dossier: all that is known of one customer, in one object."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from html import escape

import polars as pl

from optimove_analysis.analysis.audit import audit
from optimove_analysis.analysis.channel_mix import channel_mix
from optimove_analysis.analysis.funnel import funnel
from optimove_analysis.analysis.journey import journey
from optimove_analysis.analysis.judging import judged
from optimove_analysis.analysis.preferred_channel import preferred_channel
from optimove_analysis.analysis.rules import Implied, Opens, Rules
from optimove_analysis.catalogue import Catalogue
from optimove_analysis.errors import InputError
from optimove_analysis.schema import INTERACTIONS, SIDE_EVENTS, STAGES

__all__ = ["Dossier", "dossier"]


@dataclass(frozen=True, slots=True, repr=False)
class Dossier:
    """One customer's facts; the tables are attributes, to go on with."""

    customer_id: str
    interactions: pl.DataFrame
    """The customer's rows (`schema.INTERACTIONS`)."""
    journey: pl.DataFrame
    """The messages in time (`schema.JOURNEY`)."""
    funnel: pl.DataFrame
    """One funnel a channel (`schema.FUNNEL`)."""
    channel_mix: pl.DataFrame
    """Shares of sends and engagements (`schema.CHANNEL_MIX`)."""
    preferred_channel: pl.DataFrame
    """The channels by how many of the received messages were engaged with
    (`schema.PREFERRED_CHANNEL`)."""
    audit: pl.DataFrame
    """What is odd about the rows (`schema.AUDIT`)."""
    first_sent_on: dt.date | None
    """The day of the first message; None: no row has a date."""
    last_sent_on: dt.date | None
    """The day of the last message."""
    last_engaged_on: dt.date | None
    """The last day of a first engagement with a message, whatever the window; None: never."""
    complete_through: dt.date | None
    """The day through which the data is complete; None: nobody knows."""
    side_events: Mapping[str, int]
    """Messages that were unsubscribed from, bounced or complained of."""

    def facts(self) -> dict[str, str]:
        """Return what a reader looks at first, in words."""
        sides = [f"{n} {name.replace('_', ' ')}" for name, n in self.side_events.items() if n]
        odd = self.audit.filter(pl.col("severity").is_in(["warning", "error"]))
        return {
            "Messages": f"{self.journey.height:,}, from {_day(self.first_sent_on)} to "
            f"{_day(self.last_sent_on)}"
            if self.first_sent_on
            else f"{self.journey.height:,}",
            "Last engaged": self._last_engaged(),
            "Preferred channel": self._preferred(),
            "Complete through": _day(self.complete_through),
            "Also": ", ".join(sides) or "no bounce, unsubscription or complaint",
            "Odd": " ".join(odd["what"]) or "nothing",
        }

    def channels(self) -> pl.DataFrame:
        """Return one row a channel: the messages that reached each stage, and the mix's shares."""
        stages = self.funnel.pivot("stage", index="channel", values="messages")
        shares = self.channel_mix.select("channel", "share_of_sends", "share_of_engagements")
        return stages.join(shares, on="channel", how="left", maintain_order="left")

    def _last_engaged(self) -> str:
        if self.last_engaged_on is None:
            return "never"
        if self.complete_through is None:
            return str(self.last_engaged_on)
        days = (self.complete_through - self.last_engaged_on).days
        before = f", {days} day{'' if days == 1 else 's'} before the data ends" if days > 0 else ""
        return f"{self.last_engaged_on}{before}"

    def _preferred(self) -> str:
        ranked = self.preferred_channel.filter(pl.col("rank").is_not_null())
        status = self.preferred_channel["status"][0]
        if status == "insufficient":
            return "not to be said: too few messages, or one channel"
        names = ranked["channel"].to_list()
        return (
            names[0] if status == "preferred" else f"undecided, first {names[0]}, then {names[1]}"
        )

    def _cells(self) -> list[list[str]]:
        rows = [
            ["Channel", *(stage.capitalize() for stage in STAGES), "Of sends", "Of engagements"]
        ]
        for row in self.channels().iter_rows(named=True):
            counts = ["" if row.get(stage) is None else f"{row[stage]:,}" for stage in STAGES]
            shares = [row["share_of_sends"], row["share_of_engagements"]]
            rows.append(
                [row["channel"], *counts, *("" if s is None else f"{s:.0%}" for s in shares)]
            )
        return rows

    def __repr__(self) -> str:
        facts = [f"  {name}: {value}" for name, value in self.facts().items()]
        cells = self._cells()
        widths = [max(len(row[i]) for row in cells) for i in range(len(cells[0]))]
        table = [
            "  "
            + "  ".join(
                cell.ljust(width) if i == 0 else cell.rjust(width)
                for i, (cell, width) in enumerate(zip(row, widths, strict=True))
            ).rstrip()
            for row in cells
        ]
        return "\n".join([f"Customer {self.customer_id}", *facts, "", *table])

    def _repr_html_(self) -> str:
        facts = "".join(
            f"<dt style='font-weight:600'>{escape(name)}</dt>"
            f"<dd style='margin:0'>{escape(value)}</dd>"
            for name, value in self.facts().items()
        )
        head, *rows = self._cells()
        cells = "".join(f"<th scope='col'>{escape(cell)}</th>" for cell in head)
        body = "".join(
            f"<tr><th scope='row' style='text-align:left'>{escape(row[0])}</th>"
            + "".join(f"<td style='text-align:right'>{escape(cell)}</td>" for cell in row[1:])
            + "</tr>"
            for row in rows
        )
        return (
            f"<section><p style='font-weight:600'>Customer {escape(self.customer_id)}</p>"
            "<dl style='display:grid;grid-template-columns:max-content auto;gap:.2em 1em'>"
            f"{facts}</dl><table><thead><tr>{cells}</tr></thead><tbody>{body}</tbody></table>"
            "</section>"
        )


def dossier(
    interactions: pl.DataFrame | pl.LazyFrame,
    customer_id: str,
    *,
    window: int | None = 7,
    as_of: dt.date | None = None,
    implied: Implied = "lower",
    assume_sent: bool | None = None,
    opens: Opens = "trust",
    catalogue: Catalogue | None = None,
) -> Dossier:
    """Gather what is known of one customer.

    Args:
        interactions: One row an event (`schema.INTERACTIONS`), of this and other customers. Of a
            plan only this customer's rows are read.
        customer_id: The customer, as text: leading zeros count.
        window: As in `funnel`, as are all that follow.
        as_of: The day through which the data is complete; None: what each row says of itself.
        implied: ``"lower"`` or ``"none"``.
        assume_sent: Whether a message without a sent row counts as sent. None: by all rows of the
            frame, not by this customer's alone, so that the counts are those among all.
        opens: ``"trust"`` or ``"ignore"``.
        catalogue: What the account's ids mean (``client.catalogue()``).

    Raises:
        SchemaError: a column is missing or has another type.
        InputError: the interactions have no such customer, or an option is not known.

    >>> ids = {"campaign_id": 3, "recipient_group_id": 1, "action_id": 9, "channel_id": 504,
    ...        "template_id": 2}
    >>> frame = pl.DataFrame(
    ...     [{"customer_id": "007", **ids, "date": dt.date(2025, 3, day), "event_id": event}
    ...      for day, event in [(3, 1), (5, 3)]],
    ...     schema_overrides={"date": pl.Date},
    ... )
    >>> print(dossier(frame, "007"))
    Customer 007
      Messages: 1, from 2025-03-03 to 2025-03-03
      Last engaged: 2025-03-05
      Preferred channel: not to be said: too few messages, or one channel
      Complete through: not known
      Also: no bounce, unsubscription or complaint
      Odd: nothing
    <BLANKLINE>
      Channel  Sent  Delivered  Opened  Clicked  Of sends  Of engagements
      E-mail      1          1       1        0      100%            100%
    """
    known = Catalogue() if catalogue is None else catalogue
    rules = Rules(window, as_of, implied, assume_sent, opens, known)
    if not isinstance(customer_id, str):
        message = (
            f"customer_id={customer_id!r} must be text, as in the interactions: '{customer_id}'."
        )
        raise InputError(message)
    plan = interactions.lazy() if isinstance(interactions, pl.DataFrame) else interactions
    rows = INTERACTIONS.check(plan)
    own = rows.filter(customer_id=customer_id).collect()
    if own.is_empty():
        raise _unknown(rows, customer_id)
    assume_sent = rules.told_to_assume_sent
    if assume_sent is None:
        sent = pl.col("event_id").is_in(known.ids("sent")) & pl.col("date").is_not_null()
        assume_sent = not rows.select(sent.any()).collect().item()
    soft = ["clicked_on", "opened_on"] if opens == "trust" else ["clicked_on"]
    rules = replace(rules, assume_sent=assume_sent)
    options = {field.name: getattr(rules, field.name) for field in fields(rules)}
    each = judged(own.lazy(), rules).collect()
    # A control member receives nothing, and what is put down to one is no engagement of ours.
    engaged = each.filter(~pl.col("_control")).select(pl.max_horizontal(soft).max()).item()
    return Dossier(
        customer_id=customer_id,
        interactions=own,
        journey=journey(own, catalogue=known),
        funnel=funnel(own, **options),
        channel_mix=channel_mix(own, **options),
        preferred_channel=preferred_channel(own, **options),
        audit=audit(own, catalogue=known),
        first_sent_on=each.select(pl.col("send_date").min()).item(),
        last_sent_on=each.select(pl.col("send_date").max()).item(),
        last_engaged_on=engaged,
        complete_through=each.select(pl.col("_through").max()).item(),
        side_events={name: each[f"{name}_on"].count() for name in SIDE_EVENTS},
    )


def _unknown(rows: pl.LazyFrame, customer_id: str) -> InputError:
    ids = rows.select(pl.col("customer_id").drop_nulls().unique()).collect().to_series().sort()
    # Only ids that differ by zeros or space in front: others would name strangers.
    alike = [one for one in ids if one.strip().lstrip("0") == customer_id.strip().lstrip("0")]
    near = f" Did you mean {alike[0]!r}?" if alike else ""
    return InputError(
        f"the interactions have no customer {customer_id!r}; they have {len(ids):,} others.{near}"
    )


def _day(day: dt.date | None) -> str:
    return "not known" if day is None else str(day)
