"""THE data dictionary: every table, its columns, types, labels, null rules and API field names.

Parser, checks, axis titles, form labels, the sandbox and ``data/README.md`` read these rows; a
column is spelled once, here.

``known``: stages, event ids, channel kinds. ``rows``: interactions, failures to get
them, and messages. ``results``: the
funnel, the channel mix and the journey. ``names``: the catalogues. ``table``: what a table is.
``endpoints``: the API's functions and what they take.
"""

from __future__ import annotations

from typing import Final

from optimove_analysis.schema.anomaly_tables import ANOMALIES, DAY_STATUSES
from optimove_analysis.schema.archive_tables import ANSWER_KEY, ARCHIVED, COVERAGE
from optimove_analysis.schema.check_tables import AUDIT, CHECKS, SEVERITIES
from optimove_analysis.schema.compare_tables import COMPARISON, SHRUNK
from optimove_analysis.schema.customer_tables import RECENCY, TIER_NAMES, TIERS, Tier
from optimove_analysis.schema.endpoint import (
    ApiEndpoint,
    ApiParameter,
    ParameterKind,
    ParameterValue,
)
from optimove_analysis.schema.endpoints import API_ENDPOINTS
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
from optimove_analysis.schema.overlap_tables import OVERLAP, Reach
from optimove_analysis.schema.rate_tables import (
    MEAN_OPENS,
    RATE_NAMES,
    RATES,
    Proportion,
    RateName,
)
from optimove_analysis.schema.results import CHANNEL_MIX, FUNNEL, JOURNEY
from optimove_analysis.schema.rows import ASKED, FAILURES, INTERACTIONS, MESSAGE_KEY, MESSAGES
from optimove_analysis.schema.sequence_tables import HAND_OFF, NEXT, TRANSITIONS
from optimove_analysis.schema.step_tables import ORDERED_FUNNEL, ORDERED_FUNNEL_COUNTS
from optimove_analysis.schema.table import Column, Frame, Table
from optimove_analysis.schema.time_tables import FREQUENCY, FREQUENCY_CONTRAST, TIME_TO_ENGAGE

__all__ = [
    "ACTIONS",
    "ANOMALIES",
    "ANSWER_KEY",
    "API_ENDPOINTS",
    "ARCHIVED",
    "ASKED",
    "AUDIT",
    "CAMPAIGNS",
    "CHANNELS",
    "CHANNEL_MIX",
    "CHECKS",
    "COMPARISON",
    "CONTROL_ACTION_ID",
    "COVERAGE",
    "CUSTOMERS",
    "DAY_STATUSES",
    "DIVERSITY",
    "DRIFT",
    "EVENT_IDS",
    "EXPLAIN_CHANGE",
    "FAILURES",
    "FREQUENCY",
    "FREQUENCY_CONTRAST",
    "FUNNEL",
    "HAND_OFF",
    "INTERACTIONS",
    "JOURNEY",
    "KIND_STAGES",
    "MEAN_OPENS",
    "MESSAGES",
    "MESSAGE_KEY",
    "NEXT",
    "ORDERED_FUNNEL",
    "ORDERED_FUNNEL_COUNTS",
    "OVERLAP",
    "PREFERRED_CHANNEL",
    "RATES",
    "RATE_NAMES",
    "RECENCY",
    "SENDS",
    "SEVERITIES",
    "SHRUNK",
    "SIDE_EVENTS",
    "SMALL_N",
    "STAGES",
    "TABLES",
    "TARGET_GROUPS",
    "TEMPLATES",
    "TEST_ENVIRONMENT_CHANNELS",
    "TIERS",
    "TIER_NAMES",
    "TIME_TO_ENGAGE",
    "TRANSITIONS",
    "ApiEndpoint",
    "ApiParameter",
    "Column",
    "Frame",
    "Kind",
    "Meaning",
    "ParameterKind",
    "ParameterValue",
    "Preference",
    "Proportion",
    "RateName",
    "Reach",
    "Share",
    "Stage",
    "Table",
    "Tier",
]

TABLES: Final = (
    INTERACTIONS,
    FAILURES,
    ASKED,
    COVERAGE,
    ARCHIVED,
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
    COMPARISON,
    SHRUNK,
    ANOMALIES,
    RECENCY,
    TIERS,
    HAND_OFF,
    TRANSITIONS,
    OVERLAP,
    FREQUENCY,
    FREQUENCY_CONTRAST,
    TIME_TO_ENGAGE,
    CHANNELS,
    ACTIONS,
    TEMPLATES,
    CAMPAIGNS,
    TARGET_GROUPS,
    CUSTOMERS,
    SENDS,
)
"""Every table, in the way of the data."""
