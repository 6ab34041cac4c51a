"""What the audit answers with."""

from __future__ import annotations

from typing import Final

import polars as pl

from optimove_analysis.schema.parts import RATE
from optimove_analysis.schema.rows import COUNT, TEXT
from optimove_analysis.schema.table import Column, Table

__all__ = ["AUDIT", "CHECKS", "SEVERITIES"]

CHECKS: Final = (
    "orphan",
    "no_send",
    "bounced_and_delivered",
    "unknown_event",
    "unknown_channel",
    "unknown_kind",
    "off_stage",
    "event_name",
    "channel_name",
    "duplicate",
    "double_send",
    "channel_without_sends",
    "null_customer_id",
    "null_campaign_id",
    "null_recipient_group_id",
    "null_action_id",
    "null_channel_id",
    "null_template_id",
    "null_event_id",
    "undated",
    "before_range",
    "after_range",
    "no_data_through",
    "after_data_through",
    "control",
    "extra",
)
"""Every check of an audit, in its order."""

SEVERITIES: Final = ("ok", "note", "warning", "error")
"""How much a finding matters, rising."""

AUDIT: Final = Table(
    "audit",
    "One row a group and check, every check always there, in their order. The group's columns come "
    "first, and groups are in their order.",
    (
        Column("check", pl.Enum(CHECKS), "Check", "What was looked for."),
        Column(
            "severity",
            pl.Enum(SEVERITIES),
            "Severity",
            "ok: nothing found, or nothing to check; note: know of it; warning: some numbers rest "
            "on it; error: numbers are likely wrong until it is mended.",
        ),
        Column(
            "count",
            COUNT,
            "Found",
            "How many were found.",
            "not checked: the range or the column that it needs is not there",
        ),
        Column(
            "of",
            pl.Enum(("rows", "messages", "channels")),
            "Of",
            "What was counted: rows (interactions), messages or channels.",
        ),
        Column("total", COUNT, "Of how many", "How many of those the group has."),
        Column(
            "share",
            RATE,
            "Share",
            "count / total, 0 to 1.",
            "not checked, or there are none at all",
        ),
        Column("what", TEXT, "What", "What was found, as a sentence."),
        Column(
            "what_to_do",
            TEXT,
            "What to do",
            "What to do about it, as a sentence.",
            "there is nothing to do",
        ),
        Column(
            "examples",
            pl.List(pl.String()),
            "Examples",
            "A few campaigns, days, events, channels or fields that it was found in, never "
            "customers; of ids that the catalogue lacks, each one. Empty if nothing was found.",
        ),
    ),
)
