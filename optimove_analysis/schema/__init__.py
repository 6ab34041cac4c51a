"""THE data dictionary: every table, its columns, types, labels, null rules and API field names.

Parser, checks, axis titles, form labels, the sandbox and ``data/README.md`` read these rows; a
column is spelled once, here.

``known``: stages, event ids, channel kinds. ``rows``: interactions, failures to get
them, and messages. ``results``: the
funnel, the channel mix and the journey. ``names``: the catalogues. ``table``: what a table is.
"""

from __future__ import annotations

from typing import Final

from optimove_analysis.schema.check_tables import AUDIT, CHECKS, SEVERITIES
from optimove_analysis.schema.known import (
    CONTROL_ACTION_ID,
    EVENT_IDS,
    KIND_STAGES,
    SIDE_EVENTS,
    SMALL_N,
    STAGES,
    TEST_ENVIRONMENT_CHANNELS,
    Kind,
    Meaning,
    Stage,
)
from optimove_analysis.schema.mix_tables import (
    DIVERSITY,
    DRIFT,
    EXPLAIN_CHANGE,
    PREFERRED_CHANNEL,
    Preference,
    Share,
)
from optimove_analysis.schema.names import (
    ACTIONS,
    CAMPAIGNS,
    CHANNELS,
    CUSTOMERS,
    SENDS,
    TARGET_GROUPS,
    TEMPLATES,
)
from optimove_analysis.schema.rate_tables import (
    MEAN_OPENS,
    RATE_NAMES,
    RATES,
    Proportion,
    RateName,
)
from optimove_analysis.schema.results import CHANNEL_MIX, FUNNEL, JOURNEY
from optimove_analysis.schema.rows import FAILURES, INTERACTIONS, MESSAGE_KEY, MESSAGES
from optimove_analysis.schema.step_tables import ORDERED_FUNNEL, ORDERED_FUNNEL_COUNTS
from optimove_analysis.schema.table import Column, Frame, Table

__all__ = [
    "ACTIONS",
    "AUDIT",
    "CAMPAIGNS",
    "CHANNELS",
    "CHANNEL_MIX",
    "CHECKS",
    "CONTROL_ACTION_ID",
    "CUSTOMERS",
    "DIVERSITY",
    "DRIFT",
    "EVENT_IDS",
    "EXPLAIN_CHANGE",
    "FAILURES",
    "FUNNEL",
    "INTERACTIONS",
    "JOURNEY",
    "KIND_STAGES",
    "MEAN_OPENS",
    "MESSAGES",
    "MESSAGE_KEY",
    "ORDERED_FUNNEL",
    "ORDERED_FUNNEL_COUNTS",
    "PREFERRED_CHANNEL",
    "RATES",
    "RATE_NAMES",
    "SENDS",
    "SEVERITIES",
    "SIDE_EVENTS",
    "SMALL_N",
    "STAGES",
    "TABLES",
    "TARGET_GROUPS",
    "TEMPLATES",
    "TEST_ENVIRONMENT_CHANNELS",
    "Column",
    "Frame",
    "Kind",
    "Meaning",
    "Preference",
    "Proportion",
    "RateName",
    "Share",
    "Stage",
    "Table",
]

TABLES: Final = (
    INTERACTIONS,
    FAILURES,
    MESSAGES,
    FUNNEL,
    CHANNEL_MIX,
    DIVERSITY,
    DRIFT,
    EXPLAIN_CHANGE,
    PREFERRED_CHANNEL,
    JOURNEY,
    ORDERED_FUNNEL,
    ORDERED_FUNNEL_COUNTS,
    AUDIT,
    RATES,
    CHANNELS,
    ACTIONS,
    TEMPLATES,
    CAMPAIGNS,
    TARGET_GROUPS,
    CUSTOMERS,
    SENDS,
)
"""Every table, in the way of the data."""
