"""What a fetch would cost, said before anything is sent."""

from __future__ import annotations

import html
import textwrap
from dataclasses import asdict, dataclass
from datetime import date

from optimove_analysis.client.by_campaign import route_cost
from optimove_analysis.client.campaign_route import MISSING_COLUMNS
from optimove_analysis.client.frames import Audience
from optimove_analysis.client.last_update import kept_last_update
from optimove_analysis.client.maturity import Maturity
from optimove_analysis.client.route_cost import RouteCost
from optimove_analysis.client.session import Session

__all__ = ["Plan", "duration_text", "plan"]


@dataclass(frozen=True, slots=True)
class Plan:
    """What an audience costs: requests, and time at the quota; make one with `client.plan`.

    >>> by_campaign = RouteCost(days=31, campaigns=0, pages=0, expected_pages=0)
    >>> print(Plan(20_000, 15_000, 0, 5_001, 5_001, 990.2, 990.2, date(2025, 3, 1),
    ...            date(2025, 3, 31), "50 requests in 10 s", by_campaign))
    20,000 customers, 2025-03-01 to 2025-03-31
      kept         15,000  cost nothing
      to fetch      5,000  5,001 requests (1 for the last update), about 16:30 at 50 in 10 s
      by campaign          at least 31 requests: 31 lists of campaigns, which name the campaigns to
                           ask for; it gives sent events only, without recipient_group_id and
                           action_id
    """

    customers: int
    kept: int
    """Answers in the cache that are good."""
    doubtful: int
    """Answers in the cache that are good if the data has not been updated since."""
    requests: int
    """Requests to send if all that is doubtful is good, the last data update included."""
    at_most: int
    """Requests to send if nothing of it is; retries come on top."""
    seconds: float
    """Until the last of ``requests`` can be sent, by the quota and what was sent already."""
    seconds_at_most: float
    start: date
    end: date
    quota: str
    by_campaign: RouteCost
    """What the other route costs; see ``route`` of `OptimoveClient.interactions`."""

    @property
    def to_fetch(self) -> int:
        """Customers who must be asked for; with no ``requests``, those who are missing offline."""
        return self.customers - self.kept - self.doubtful

    def as_dict(self) -> dict[str, object]:
        """Return it as plain values, for JSON."""
        plain = {
            name: value.isoformat() if isinstance(value, date) else value
            for name, value in asdict(self).items()
        }
        other = {
            "at_least": self.by_campaign.requests,
            "expected": self.by_campaign.expected,
            "missing_columns": list(MISSING_COLUMNS),
            "cheaper": self.by_campaign.cheaper_than(self.requests),
        }
        return {**plain, "to_fetch": self.to_fetch, "by_campaign": other}

    def __str__(self) -> str:
        rows = self._rows()
        name, count = (max(len(row[i]) for row in rows) for i in (0, 1))
        indent = " " * (name + count + 6)
        lines = [
            textwrap.fill(
                f"  {row[0]:{name}}  {row[1]:>{count}}  {row[2]}", 96, subsequent_indent=indent
            )
            for row in rows
        ]
        return "\n".join([self._caption(), *lines])

    __repr__ = __str__

    def _repr_html_(self) -> str:
        # Every cell says how it stands: a notebook puts all of them to the right.
        rows = "".join(
            f'<tr><th scope="row" style="text-align:left; white-space:nowrap">{name}</th>'
            f'<td style="text-align:right">{count}</td>'
            f'<td style="text-align:left">{html.escape(what)}</td></tr>'
            for name, count, what in self._rows()
        )
        caption = (
            f'<caption style="text-align:left; white-space:nowrap">{self._caption()}</caption>'
        )
        return f"<table>{caption}<tbody>{rows}</tbody></table>"

    def _caption(self) -> str:
        many = "" if self.customers == 1 else "s"
        return f"{self.customers:,} customer{many}, {self.start} to {self.end}"

    def _rows(self) -> list[tuple[str, str, str]]:
        rows = [("kept", f"{self.kept:,}", "cost nothing")]
        if self.doubtful:
            most = f"{_requests(self.at_most)}, {_about(self.seconds_at_most)}"
            rows.append(
                (
                    "to check",
                    f"{self.doubtful:,}",
                    f"kept, and good if the data was not updated since; at most {most} in all",
                )
            )
        if self.to_fetch > self.requests:
            what = "not kept, and this client is offline: it sends nothing"
            rows.append(("missing", f"{self.to_fetch:,}", what))
        else:
            rows.append(("to fetch", f"{self.to_fetch:,}", self._cost()))
        cheaper = self.by_campaign.cheaper_than(self.requests)
        # Where it cannot be cheaper, nobody needs to know what it lacks.
        if cheaper is not False:
            found = "fewer: " if cheaper else ""
            gives = f"it gives sent events only, without {' and '.join(MISSING_COLUMNS)}"
            rows.append(("by campaign", "", f"{found}{self.by_campaign}; {gives}"))
        return rows

    def _cost(self) -> str:
        cost = _requests(self.requests)
        if self.requests > self.to_fetch:
            cost += f" ({'1 ' if self.to_fetch else ''}for the last update)"
        if self.requests:
            cost += f", {_about(self.seconds)}"
        return f"{cost} at {self.quota.replace(' requests', '')}" if self.seconds else cost


def plan(session: Session, audience: Audience, *, refresh: bool = False) -> Plan:
    """Count what an audience's fetch would send; nothing is sent."""
    session.check()
    settings, now = session.settings, session.now()
    facts = {} if refresh else session.cache.facts(audience.keys)
    maturity = Maturity(audience.last, settings.settle_after, settings.max_age)
    updated = kept_last_update(session, fresh=True)
    kept = doubtful = 0
    for known in facts.values():
        if settings.offline or maturity.settled(known, now):
            kept += 1
        elif updated is not None:
            kept += maturity.current(known, updated, now)
        else:
            doubtful += maturity.maybe_current(known, now)
    missing = len(audience.ids) - kept - doubtful
    asks = bool(doubtful or missing) and updated is None
    if asks and not doubtful:
        asks = not maturity.settles(kept_last_update(session))
    # Offline, or from a snapshot, what is missing is not to be had.
    requests = 0 if settings.offline else missing + asks
    at_most = requests + doubtful
    limits = " and ".join(
        f"{limit:,} requests in {per:g} s" for limit, per in session.settings.quota
    )
    return Plan(
        customers=len(audience.ids),
        kept=kept,
        doubtful=doubtful,
        requests=requests,
        at_most=at_most,
        seconds=session.quota.eta(requests),
        seconds_at_most=session.quota.eta(at_most),
        start=audience.first,
        end=audience.last,
        quota=limits,
        by_campaign=route_cost(session, audience.first, audience.last, than=at_most),
    )


def _requests(number: int) -> str:
    return f"{number:,} request{'' if number == 1 else 's'}"


def _about(seconds: float) -> str:
    return f"about {duration_text(max(seconds, 1.0))}" if seconds > 0 else "at once"


def duration_text(seconds: float) -> str:
    """Return a duration as people read it.

    >>> duration_text(7.2), duration_text(990.2), duration_text(13_000)
    ('0:07', '16:30', '3:36:40')
    """
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"
