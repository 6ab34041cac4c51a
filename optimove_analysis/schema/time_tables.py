"""What analysis of time between messages answers with: frequency, its contrast, time to engage."""

from __future__ import annotations

from typing import Final

import polars as pl

from optimove_analysis.schema.known import SMALL_N
from optimove_analysis.schema.parts import NOTES, RATE, SMALL
from optimove_analysis.schema.rate_tables import RATES
from optimove_analysis.schema.rows import COUNT, TEXT
from optimove_analysis.schema.table import Column, Table

__all__ = ["FREQUENCY", "FREQUENCY_CONTRAST", "TIME_TO_ENGAGE"]

_DAYS: Final = Column(
    "days",
    pl.Int32(),
    "Days before",
    "The calendar days before the send in which messages to the customer are counted; the day of "
    "the send is none of them.",
)
_MEAN_PRESSURE: Final = Column(
    "mean_pressure",
    RATE,
    "Mean pressure",
    "Mean number of messages in the days before, over the messages of n.",
    "no message of known pressure is among n",
)

FREQUENCY: Final = Table(
    "frequency",
    "One row a group and level of pressure that occurs, in the order of the group's columns, which "
    "come first, and of the levels; unknown pressure last.",
    (
        RATES["channel"],
        Column(
            "pressure",
            COUNT,
            "Messages before",
            "Messages sent to the customer in the days before the send, over all channels; the "
            "last level is that many or more.",
            "not known: the days before begin before `since`, or the message has no date",
        ),
        Column(
            "level",
            TEXT,
            "Level",
            "The level in words: 0, 1, ..., with 6+ for six or more; unknown.",
        ),
        *(RATES[name] for name in RATES.names[1 : RATES.names.index("unit")]),
        _MEAN_PRESSURE,
        Column(
            "n_same_day",
            COUNT,
            "Not alone that day",
            "Messages of n with other messages sent to the customer on the same day, which are in "
            "no pressure: a date cannot order them.",
        ),
        Column(
            "n_early",
            COUNT,
            "Early",
            "Messages of n whose days before begin before the customer's first message in the "
            "frame, or with `since` before that day: there may have been more before them.",
        ),
        _DAYS,
        *(RATES[name] for name in RATES.names[RATES.names.index("unit") :]),
    ),
)

_SLOPE: Final = "no customer's pressure varies, or no channel of the row has both stages"

FREQUENCY_CONTRAST: Final = Table(
    "frequency_contrast",
    "One row a group, in the order of the group's columns, which come first.",
    (
        RATES["channel"],
        RATES["rate"],
        RATES["label"],
        Column(
            "slope",
            RATE,
            "Change a message",
            "How much the rate changes with each further message in the days before, for the same "
            "customer; 0.01 is one percentage point. The within (fixed effects) estimator.",
            _SLOPE,
        ),
        Column("lo", RATE, "Low", "Low end of the 95 % interval.", "see hi"),
        Column(
            "hi",
            RATE,
            "High",
            "High end of the 95 % interval, by cluster-robust variance.",
            "slope is null, or one customer's pressure varies only",
        ),
        Column(
            "slope_across",
            RATE,
            "Change a message, across",
            "The same without regard to whose messages they are: what also holds how much those "
            "who are sent more differ from those who are sent less.",
            "every message has the same pressure, or no channel of the row has both stages",
        ),
        Column(
            "n",
            COUNT,
            "Out of",
            "Mature messages that the rate divides by, of customers whose pressure varies: those "
            "that the slope is made of.",
        ),
        Column(
            "customers",
            COUNT,
            "Customers",
            "Customers whose pressure varies: the clusters of the interval.",
        ),
        Column(
            "n_constant",
            COUNT,
            "Of constant pressure",
            "Messages of customers whose pressure does not vary: they are in slope_across only.",
        ),
        Column(
            "n_unknown",
            COUNT,
            "Of unknown pressure",
            "Messages that the rate divides by whose days before begin before `since`; in neither.",
        ),
        _MEAN_PRESSURE,
        Column(
            "method",
            TEXT,
            "Interval",
            "within-cluster-t: the customer is the cluster, and the quantile is Student's with one "
            "degree of freedom less than customers.",
        ),
        Column(
            "small",
            pl.Boolean(),
            "Small",
            f"Whether fewer than {SMALL_N} customers' pressure varies: the slope says little.",
        ),
        *(RATES[name] for name in ("n_immature", "n_unobserved", "channels")),
        _DAYS,
        *(RATES[name] for name in RATES.names[RATES.names.index("unit") : -1]),
        NOTES,
    ),
)

_LACKS: Final = "no channel of the row has deliveries"

TIME_TO_ENGAGE: Final = Table(
    "time_to_engage",
    "One row a group and day on which a message was engaged with or censored, and day 0, in the "
    "order of the group's columns, which come first, and of days. Between rows nothing changes.",
    (
        RATES["channel"],
        Column("day", COUNT, "Day", "Calendar days from the send; 0 is its own day."),
        Column(
            "at_risk",
            COUNT,
            "At risk",
            "Messages not yet engaged with before the day, and followed until it at least.",
            _LACKS,
        ),
        Column(
            "events",
            COUNT,
            "Engaged that day",
            "Messages first engaged with on the day.",
            _LACKS,
        ),
        Column(
            "censored",
            COUNT,
            "Censored that day",
            "Messages followed until the day and not engaged with: nobody knows what came after.",
            _LACKS,
        ),
        Column(
            "engaged",
            RATE,
            "Engaged by then",
            "1 - S, 0 to 1: the estimated share of messages engaged with by the end of the day.",
            "n is 0: no answer, not 0; or no channel of the row has deliveries",
        ),
        Column("lo", RATE, "Low", "Low end of the 95 % interval.", "see hi"),
        Column(
            "hi",
            RATE,
            "High",
            "High end of the 95 % interval.",
            "engaged is null, 0 or 1: it has no interval on this scale",
        ),
        Column(
            "median_day",
            COUNT,
            "Median day",
            "The first day by which half of the group's messages are engaged with.",
            "the share never comes to a half",
        ),
        Column("n", COUNT, "Out of", "Messages of the group that are followed.", _LACKS),
        Column("n_engaged", COUNT, "Engaged", "Those that were engaged with, ever.", _LACKS),
        Column(
            "n_late",
            COUNT,
            "Late",
            "Those engaged with after the window: they count here, on their day, and in no rate.",
            _LACKS,
        ),
        Column(
            "n_implied",
            COUNT,
            "Implied",
            "Those of n whose delivery was not reported.",
            _LACKS,
        ),
        Column(
            "n_immature",
            COUNT,
            "Immature",
            "Messages of the group whose window had not closed by as_of, or with no window those "
            "sent after it; they are not followed.",
        ),
        RATES["n_unobserved"],
        Column(
            "customers",
            COUNT,
            "Customers",
            "Distinct customers among the messages of n: the clusters of the interval.",
            _LACKS,
        ),
        RATES["channels"],
        Column(
            "method",
            TEXT,
            "Interval",
            "log-log (Greenwood's variance) within one customer, log-log-cluster across customers.",
        ),
        Column("small", SMALL.dtype, SMALL.label, f"Whether n is below {SMALL_N}.", _LACKS),
        *(RATES[name] for name in RATES.names[RATES.names.index("unit") :]),
    ),
)
