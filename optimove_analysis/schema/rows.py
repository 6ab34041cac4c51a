"""What comes in: interactions, and the messages that they belong to."""

from __future__ import annotations

from typing import Final

import polars as pl

from optimove_analysis.schema.table import Column, Table

__all__ = [
    "ASKED",
    "COUNT",
    "DAY",
    "FAILURES",
    "ID",
    "IDS",
    "INTERACTIONS",
    "MESSAGES",
    "MESSAGE_KEY",
    "TEXT",
]

DAY: Final = pl.Date()
ID: Final = pl.Int64()
COUNT: Final = pl.Int64()
TEXT: Final = pl.String()

_NONE_GIVEN: Final = "the API gave none"
_OLD_FORMAT: Final = "the response format has no such field"

_CUSTOMER_ID = Column(
    "customer_id",
    TEXT,
    "Customer",
    "The customer, as text even where it looks like a number: leading zeros count.",
    api="CustomerID",
)

IDS: Final = (
    _CUSTOMER_ID,
    Column(
        "campaign_id", ID, "Campaign", "One execution of a campaign.", _NONE_GIVEN, "CampaignID"
    ),
    Column(
        "recipient_group_id",
        ID,
        "Recipient group",
        "1 is the test group of a test/control campaign, or group A of an A/B campaign.",
        _NONE_GIVEN,
        "RecipientGroupID",
    ),
    Column(
        "action_id",
        ID,
        "Action",
        "The marketing action; 1 marks a control-group member, which no funnel counts.",
        _NONE_GIVEN,
        "ActionID",
    ),
    Column(
        "channel_id",
        ID,
        "Channel id",
        "The execution channel; ids belong to an account.",
        _NONE_GIVEN,
        "ChannelID",
    ),
    Column("template_id", ID, "Template", "The channel's template.", _NONE_GIVEN, "TemplateID"),
)

MESSAGE_KEY: Final[tuple[str, ...]] = tuple(column.name for column in IDS)
"""The six ids that, with the day of the send, make a message. A null id is a value."""

_DATA_THROUGH = Column(
    "data_through",
    DAY,
    "Data through",
    "The day through which the row's data is complete: the earliest of the end of the requested "
    "range, the last data update and the day of the fetch.",
    "not known: the message counts as mature, and the notes say so",
    optional=True,
)

INTERACTIONS: Final = Table(
    "interactions",
    "One row an event of a message to a customer, as the API reports it, repeats included.",
    (
        _CUSTOMER_ID,
        Column(
            "date",
            DAY,
            "Date",
            "A calendar day of the account. Whether it is the day of the send or of the event is "
            "not documented; analysis takes it as the day of the event.",
            "the API gave none: the row is kept, counted and in no stage",
            "Date",
        ),
        *IDS[1:],
        Column(
            "event_id",
            ID,
            "Event",
            "What happened; a Catalogue says what each id means.",
            _NONE_GIVEN,
            "EventID",
        ),
        Column(
            "campaign_type",
            TEXT,
            "Campaign type",
            "Scheduled or Triggered (assumed field of the engagement-metrics format).",
            _OLD_FORMAT,
            "CampaignType",
            optional=True,
        ),
        Column(
            "event_time",
            pl.Datetime("us", "UTC"),
            "Event time",
            "The instant of the event, UTC (assumed field of the engagement-metrics format).",
            _OLD_FORMAT,
            "EventTime",
            optional=True,
        ),
        Column(
            "event_name",
            TEXT,
            "Event name",
            "The API's name of the event (assumed field of the engagement-metrics format).",
            _OLD_FORMAT,
            "EventName",
            optional=True,
        ),
        Column(
            "channel_name",
            TEXT,
            "Channel name",
            "The API's name of the channel (assumed field of the engagement-metrics format).",
            _OLD_FORMAT,
            "ChannelName",
            optional=True,
        ),
        Column(
            "extra",
            TEXT,
            "Other fields",
            "Fields that this package does not know, kept as one JSON object.",
            "the row had none",
            optional=True,
        ),
        _DATA_THROUGH,
    ),
)


def _first_day(name: str, label: str, event: str) -> Column:
    what = f"The first day on which the message was reported {event}, whatever the window."
    return Column(name, DAY, label, what, "never reported")


MESSAGES: Final = Table(
    "messages",
    "One row a message: the six ids and the day of the send. In the order of those.",
    (
        *IDS,
        Column(
            "send_date",
            DAY,
            "Sent on",
            "The day of the send; where no send was reported, the day of the earliest event.",
            "no row of these ids has a date: the message is in no funnel",
        ),
        Column(
            "send_observed",
            pl.Boolean(),
            "Send observed",
            "Whether a sent event was reported; if not, the send is only assumed.",
        ),
        _first_day("delivered_on", "Delivered on", "delivered"),
        _first_day("opened_on", "Opened on", "opened"),
        _first_day("clicked_on", "Clicked on", "clicked"),
        _first_day("unsubscribed_on", "Unsubscribed on", "as leading to an unsubscription"),
        _first_day("bounced_on", "Bounced on", "bounced"),
        _first_day("spam_complaint_on", "Spam complaint on", "as leading to a spam complaint"),
        Column(
            "rows",
            COUNT,
            "Rows",
            "The interactions that belong to the message, repeats and oddities included.",
        ),
        Column(
            "n_collapsed",
            COUNT,
            "Further sends that day",
            "Sent rows beyond the first: sends of one day cannot be told apart.",
        ),
        Column(
            "n_orphans",
            COUNT,
            "Orphans",
            "Events dated before every send of these ids, put with the first; in no rate.",
        ),
        Column(
            "n_unknown",
            COUNT,
            "Unknown events",
            "Rows whose event id the catalogue lacks, or that have none; in no stage.",
        ),
        Column(
            "unknown_event",
            ID,
            "Unknown event",
            "The smallest event id among those that the catalogue lacks.",
            "there is none, or the rows have no event id at all",
        ),
        Column(
            "n_undated",
            COUNT,
            "Undated rows",
            "Rows without a date, put with the first message of their ids; in no stage.",
        ),
        _DATA_THROUGH,
    ),
)

FAILURES: Final = Table(
    "failures",
    "One row a customer whose interactions could not be had, in the order asked.",
    (
        _CUSTOMER_ID,
        Column("error", TEXT, "Error", "The kind of error, a class of `optimove_analysis.errors`."),
        Column("status", ID, "Status", "The HTTP status.", "no answer came, or its body was wrong"),
        Column("message", TEXT, "What happened", "What was seen, and what to do about it."),
    ),
)

ASKED: Final = Table(
    "asked",
    "One row a customer and range that a snapshot holds an answer about, by customer and range.",
    (
        Column("endpoint", TEXT, "Endpoint", "Which function of the API was asked."),
        _CUSTOMER_ID,
        Column("start", DAY, "From", "The first day that was asked about."),
        Column("end", DAY, "To", "The last day that was asked about."),
    ),
)
