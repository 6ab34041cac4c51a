"""The tenant's campaigns: what is sent to which target group on which day."""

from __future__ import annotations

from datetime import date, timedelta
from functools import lru_cache
from typing import Final, NamedTuple

from optimove_analysis.sandbox.chance import number
from optimove_analysis.sandbox.tenant import (
    CALL_CENTRE,
    EMAIL,
    IN_APP,
    PUSH,
    SMS,
    TARGET_GROUPS,
    WEB_PUSH,
)

__all__ = ["TRIGGERS", "Campaign", "Plan", "Trigger"]

# A day's campaign ids: four triggered ones, then a daily deal, a newsletter and a promotion for
# each target group. So an id tells its day, and no list of campaigns has to be kept.
_FIRST_ID: Final = 1001
_IDS_A_DAY: Final = 4 + 3 * len(TARGET_GROUPS)


class Trigger(NamedTuple):
    """What a thing that a customer does sets off."""

    action_id: int
    channels: tuple[int, ...]
    """Those to try; the first that reaches the customer is taken."""
    strength: float


TRIGGERS: Final[dict[str, Trigger]] = {
    "welcome": Trigger(3, (EMAIL, SMS), 1.5),
    "abandoned basket": Trigger(5, (PUSH, EMAIL, SMS), 1.6),
    "birthday": Trigger(6, (EMAIL, SMS), 1.3),
    "win-back": Trigger(7, (EMAIL, SMS, CALL_CENTRE), 0.9),
}
"""The triggered campaigns, in the order of their ids within a day."""

_NO_TARGET_GROUP: Final = 0  # whoever does the thing gets it; what the API says is not documented

_MONDAY, _TUESDAY, _WEDNESDAY, _SATURDAY = 0, 1, 2, 5
_THANKSGIVING_MONTH: Final = 11
_PROMOTION_ACTIONS: Final = (*range(9, 26), 29)
_CHANNEL_SETS: Final[tuple[tuple[int, ...], ...]] = (
    (EMAIL,),
    (EMAIL,),
    (EMAIL, PUSH),
    (PUSH,),
    (SMS,),
    (SMS,),
    (WEB_PUSH, EMAIL),
    (IN_APP, PUSH),
    (SMS, PUSH),
)


class Campaign(NamedTuple):
    """One execution of a campaign: one day, one target group, one or more channels."""

    campaign_id: int
    day: int
    """The day of the send, as ``date.toordinal()``."""
    target_group_id: int
    action_id: int
    channels: tuple[int, ...]
    kind: str
    """Test/Control, A/B or Test."""
    strength: float
    """How much its subject draws; 1 is usual."""
    second: int
    """When the send starts, in seconds of the day."""
    notes: str
    triggered: bool = False
    recurring: bool = True
    failed: bool = False
    """Nobody got it."""
    resent: bool = False
    """Sent once more after three days to who did not open it."""


def easter(year: int) -> date:
    """Return Easter Sunday (the anonymous Gregorian computus, Nature, 20 April 1876).

    >>> easter(2025).isoformat(), easter(2024).isoformat()
    ('2025-04-20', '2024-03-31')
    """
    century, of_century = divmod(year, 100)
    golden = year % 19
    leap, rest = divmod(century, 4)
    shift = (century - (century + 8) // 25 + 1) // 3
    epact = (19 * golden + century - leap - shift + 15) % 30
    weekday = (32 + 2 * rest + 2 * (of_century // 4) - epact - of_century % 4) % 7
    late = (golden + 11 * epact + 22 * weekday) // 451
    month, day = divmod(epact + weekday - 7 * late + 114, 31)
    return date(year, month, day + 1)


@lru_cache(maxsize=64)
def season(year: int) -> dict[int, tuple[int, tuple[int, ...], str]]:
    """Return the seasonal sends of a year: day to action, channels and name."""
    first = date(year, _THANKSGIVING_MONTH, 1)
    thursday = first + timedelta(days=(3 - first.weekday()) % 7 + 21)
    friday = thursday + timedelta(days=1)

    def after(day: date, days: int) -> int:
        return day.toordinal() + days

    sunday, july, december = easter(year), date(year, 7, 1), date(year, 12, 1)
    return {
        after(sunday, -10): (30, (EMAIL, PUSH), "Easter"),
        after(sunday, -3): (31, (EMAIL, SMS), "Easter"),
        after(july, 0): (32, (EMAIL, PUSH), "Summer sale"),
        after(july, 7): (32, (SMS, WEB_PUSH), "Summer sale"),
        after(july, 21): (33, (EMAIL, PUSH), "Summer sale"),
        after(friday, -8): (34, (EMAIL,), "Black Friday"),
        after(friday, -1): (34, (PUSH, SMS), "Black Friday"),
        after(friday, 0): (35, (EMAIL, PUSH, WEB_PUSH), "Black Friday"),
        after(friday, 3): (36, (EMAIL, PUSH), "Black Friday"),
        after(december, 4): (37, (EMAIL, IN_APP), "Christmas"),
        after(december, 10): (38, (EMAIL, PUSH), "Christmas"),
        after(december, 17): (39, (EMAIL, SMS), "Christmas"),
    }


class Plan:
    """All campaigns of the days from ``first`` to ``last``, each computed when asked for.

    >>> plan = Plan(7, date(2025, 1, 1), date(2025, 12, 31))
    >>> [campaign.notes for campaign in plan.on(date(2025, 4, 17).toordinal())][-1]
    'Easter'
    """

    def __init__(self, seed: int, first: date, last: date) -> None:
        self._seed = seed
        self.first, self.last = first.toordinal(), last.toordinal()
        self._on: dict[int, list[Campaign]] = {}  # grows with the days, never with the customers
        self._of_group: dict[int, list[Campaign]] = {}

    def triggered(self, trigger: str, day: int) -> Campaign:
        """Return the day's execution of a triggered campaign."""
        action_id, channels, strength = TRIGGERS[trigger]
        return Campaign(
            campaign_id=self._first_id(day) + list(TRIGGERS).index(trigger),
            day=day,
            target_group_id=_NO_TARGET_GROUP,
            action_id=action_id,
            channels=channels,
            kind="Test",
            strength=strength,
            second=9 * 3600,
            notes=trigger.capitalize(),
            triggered=True,
        )

    def on(self, day: int) -> list[Campaign]:
        """Return the day's campaigns, in order of their ids."""
        if not self.first <= day <= self.last:
            return []
        if day not in self._on:
            slots = (self._daily_deal, self._newsletter, self._promotion)
            scheduled = [slot(day, group) for slot in slots for group in TARGET_GROUPS]
            triggered = [self.triggered(trigger, day) for trigger in TRIGGERS]
            self._on[day] = triggered + [campaign for campaign in scheduled if campaign]
        return self._on[day]

    def of_group(self, target_group_id: int) -> list[Campaign]:
        """Return the scheduled campaigns of a target group over all days, in order of the days."""
        if target_group_id not in self._of_group:
            self._of_group[target_group_id] = [
                campaign
                for day in range(self.first, self.last + 1)
                for campaign in self.on(day)
                if campaign.target_group_id == target_group_id
            ]
        return self._of_group[target_group_id]

    def campaign(self, campaign_id: int) -> Campaign | None:
        """Return the campaign of this id, None where there is none."""
        days = (campaign_id - _FIRST_ID) // _IDS_A_DAY
        found = (c for c in self.on(self.first + days) if c.campaign_id == campaign_id)
        return next(found, None)

    def _first_id(self, day: int) -> int:
        return _FIRST_ID + (day - self.first) * _IDS_A_DAY

    def _daily_deal(self, day: int, group: int) -> Campaign | None:
        return Campaign(
            campaign_id=self._first_id(day) + 3 + group,
            day=day,
            target_group_id=group,
            action_id=8,
            channels=(IN_APP,),
            kind="Test",
            strength=0.85 + (number(self._seed, "deal", day) % 31) / 100,
            second=6 * 3600,
            notes="Daily deal",
        )

    def _newsletter(self, day: int, group: int) -> Campaign | None:
        weekday = date.fromordinal(day).weekday()
        if weekday not in {_TUESDAY, _WEDNESDAY}:
            return None
        letter = weekday == _TUESDAY  # and on the day after, a line in the browser
        week = (day - self.first) // 7
        chance = number(self._seed, "newsletter", day)
        return Campaign(
            campaign_id=self._first_id(day) + 3 + len(TARGET_GROUPS) + group,
            day=day,
            target_group_id=group,
            action_id=2 if letter else 27,
            channels=(EMAIL,) if letter else (WEB_PUSH,),
            kind="A/B" if week % 4 == 1 else "Test/Control",
            strength=0.8 + chance % 41 / 100,
            second=(8 + chance % 3) * 3600,
            notes=f"{'Newsletter' if letter else 'Midweek offer'}, week {week + 1}",
            failed=number(self._seed, "failed", day, group) % 150 == 0,
            resent=letter and week % 8 == 5,  # noqa: PLR2004 - any week of eight would do
        )

    def _promotion(self, day: int, group: int) -> Campaign | None:
        when = date.fromordinal(day)
        campaign_id = self._first_id(day) + 3 + 2 * len(TARGET_GROUPS) + group
        seasonal = season(when.year).get(day)
        if seasonal is not None:
            action, channels, notes = seasonal
            return Campaign(
                campaign_id,
                day,
                group,
                action,
                channels,
                "Test/Control",
                1.25,
                10 * 3600,
                notes,
                recurring=False,
            )  # fmt: skip - one row of a table
        # One a week for each group, mostly towards the weekend; which day differs by group.
        week = (day - when.weekday()) // 7
        chance = number(self._seed, "promotion", week, group)
        days = (3, 3, 3, 4, 4, _SATURDAY, _MONDAY)
        if when.weekday() != days[chance % 7]:
            return None
        channels = _CHANNEL_SETS[chance // 7 % len(_CHANNEL_SETS)]
        action = _PROMOTION_ACTIONS[chance // 64 % len(_PROMOTION_ACTIONS)]
        if group == 1 and chance // 2048 % 6 == 0:  # VIPs are called now and then
            channels, action = (CALL_CENTRE,), 40
        return Campaign(
            campaign_id=campaign_id,
            day=day,
            target_group_id=group,
            action_id=action,
            channels=channels,
            kind=("Test/Control", "A/B", "Test")[chance // 4096 % 3],
            strength=0.7 + chance // 16384 % 61 / 100,
            second=(9 + chance // 1048576 % 10) * 3600,
            notes="Promotion",
            recurring=False,
            failed=chance // 67108864 % 150 == 0,
        )
