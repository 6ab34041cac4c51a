"""The checks of an audit in words: what each looks for, how much it matters, what to do."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Literal

__all__ = ["CHECKED", "Check"]


@dataclass(frozen=True, slots=True)
class Check:
    """What is said of one check."""

    of: Literal["rows", "messages", "channels"]
    severity: Literal["note", "warning", "error"]
    """How much it matters where something is found."""
    none: str
    one: str
    many: str
    """With ``{}`` for the number."""
    to_do: str
    needs: str = ""
    """Said where it could not be checked."""


def _null(column: str, noun: str, severity: Literal["note", "warning", "error"]) -> Check:
    return Check(
        "rows",
        severity,
        f"Every row has its {column}.",
        f"1 row has no {column}.",
        f"{{}} rows have no {column}.",
        f"Nothing, if your account leaves it out: no {noun} is a value of its own, and such rows "
        "make messages of their own."
        if severity == "note"
        else f"Ask why the source gives no {noun}: rows without one are taken as of one and the "
        f"same {noun}.",
    )


CHECKED: Final[Mapping[str, Check]] = {
    "orphan": Check(
        "rows",
        "warning",
        "No event is dated before every send of its ids.",
        "1 event is dated before every send of its ids: an orphan, in no rate.",
        "{} events are dated before every send of their ids: orphans, in no rate.",
        "Fetch from an earlier day, so that the sends they belong to are there; if it is still so, "
        "the account's days may be told in two time zones.",
    ),
    "no_send": Check(
        "messages",
        "warning",
        "Every message has a sent row.",
        "1 message has no sent row: only its later events are known.",
        "{} messages have no sent row: only their later events are known.",
        "Fetch from an earlier day; or, if the account reports no sends, say so with "
        "Catalogue.reports_sent=False or assume_sent=True.",
    ),
    "bounced_and_delivered": Check(
        "messages",
        "warning",
        "No message both bounced and was delivered or opened.",
        "1 message both bounced and was delivered or opened.",
        "{} messages both bounced and were delivered or opened.",
        "Know that they count as not delivered, unless clicked; if there are many, check that the "
        "catalogue's events mean what it says.",
    ),
    "unknown_event": Check(
        "rows",
        "warning",
        "The catalogue knows every event id.",
        "1 row has an event id that the catalogue lacks: it is in no stage.",
        "{} rows have event ids that the catalogue lacks: they are in no stage.",
        "Ask Optimove what these ids mean in your account, and add them to Catalogue.events.",
    ),
    "unknown_channel": Check(
        "rows",
        "warning",
        "The catalogue knows every channel id.",
        "1 row has a channel id that the catalogue lacks: it is taken to have all stages.",
        "{} rows have channel ids that the catalogue lacks: they are taken to have all stages.",
        "Take client.catalogue(), or add the ids to Catalogue.channels.",
    ),
    "unknown_kind": Check(
        "rows",
        "note",
        "Every channel that the catalogue names is of a known kind.",
        "1 row is of a channel whose name tells no kind: it is taken to have all stages.",
        "{} rows are of channels whose names tell no kind: they are taken to have all stages.",
        "Say in Catalogue.kinds what kind each of these channels is.",
    ),
    "off_stage": Check(
        "rows",
        "warning",
        "No event is of a stage that its channel's kind lacks.",
        "1 event is of a stage that its channel's kind lacks: it is not counted.",
        "{} events are of stages that their channels' kinds lack: they are not counted.",
        "Set Catalogue.kinds if these channels do report such events.",
    ),
    "event_name": Check(
        "rows",
        "error",
        "No event's name of the API contradicts the catalogue.",
        "1 row has an event that the API calls otherwise than the catalogue does.",
        "{} rows have events that the API calls otherwise than the catalogue does.",
        "Correct Catalogue.events: by the names, these ids mean other stages in your account.",
        "Not checked: no row has an event_name.",
    ),
    "channel_name": Check(
        "rows",
        "warning",
        "No channel's name of the API contradicts the catalogue.",
        "1 row has a channel that the API calls otherwise than the catalogue does.",
        "{} rows have channels that the API calls otherwise than the catalogue does.",
        "Take client.catalogue(), or correct Catalogue.channels and Catalogue.kinds.",
        "Not checked: no row has a channel_name.",
    ),
    "duplicate": Check(
        "rows",
        "note",
        "No row repeats another exactly.",
        "1 row repeats another exactly.",
        "{} rows repeat others exactly.",
        "Nothing: Optimove adds repeated reports up, uniques ignore them, totals count them. If it "
        "is most rows, the same days were put together twice.",
    ),
    "double_send": Check(
        "rows",
        "note",
        "No message was sent twice on one day.",
        "1 sent row is a further one of the same message on the same day: one send.",
        "{} sent rows are further ones of the same message on the same day: one send.",
        "Nothing: sends of one day cannot be told apart. If it is most sends, rates are of days "
        "and not of sends.",
    ),
    "channel_without_sends": Check(
        "channels",
        "warning",
        "Every channel has sent rows.",
        "1 channel has no sent row: its messages are in no rate that divides by sent.",
        "{} channels have no sent row: their messages are in no rate that divides by sent.",
        "If these channels report no sends, use assume_sent=True for them.",
    ),
    "null_customer_id": _null("customer_id", "customer", "error"),
    "null_campaign_id": _null("campaign_id", "campaign", "note"),
    "null_recipient_group_id": _null("recipient_group_id", "recipient group", "note"),
    "null_action_id": _null("action_id", "action", "note"),
    "null_channel_id": _null("channel_id", "channel", "warning"),
    "null_template_id": _null("template_id", "template", "note"),
    "null_event_id": Check(
        "rows",
        "warning",
        "Every row has its event_id.",
        "1 row has no event_id: it is in no stage.",
        "{} rows have no event_id: they are in no stage.",
        "Ask why the source gives no event: such rows count nowhere.",
    ),
    "undated": Check(
        "rows",
        "warning",
        "Every row has its date.",
        "1 row has no date: it is in no stage.",
        "{} rows have no date: they are in no stage.",
        "Ask why the source gives no date: such rows count nowhere.",
    ),
    "before_range": Check(
        "rows",
        "warning",
        "No row is dated before the range.",
        "1 row is dated before the range that was asked for.",
        "{} rows are dated before the range that was asked for.",
        "Check the dates asked for and the account's time zone; filter on date to leave them out.",
        "Not checked: give start=, the first day asked for.",
    ),
    "after_range": Check(
        "rows",
        "note",
        "No row is dated after the range.",
        "1 row is dated after the range that was asked for.",
        "{} rows are dated after the range that was asked for.",
        "Nothing, if they answer campaigns sent in the range: the answers then reach further than "
        "the range, and as_of=client.last_update() counts more messages as mature.",
        "Not checked: give end=, the last day asked for.",
    ),
    "no_data_through": Check(
        "rows",
        "note",
        "Every row says through which day its data is complete.",
        "1 row does not say through which day its data is complete.",
        "{} rows do not say through which day their data is complete.",
        "Give as_of= to each function, or fetch with the client, which writes data_through: "
        "messages without it count as mature.",
    ),
    "after_data_through": Check(
        "rows",
        "note",
        "No row is dated after the day through which its data is complete.",
        "1 row is dated after the day through which its data is complete.",
        "{} rows are dated after the day through which their data is complete.",
        "The answers reach further than data_through says: as_of=client.last_update() counts more "
        "messages as mature.",
        "Not checked: no row has data_through.",
    ),
    "control": Check(
        "rows",
        "note",
        "No row is of a control-group member.",
        "1 row is of a control-group member (action 1): it is in no funnel.",
        "{} rows are of control-group members (action 1): they are in no funnel.",
        "Nothing: control members receive no message, so what they did answers none.",
    ),
    "extra": Check(
        "rows",
        "note",
        "No row has a field that this package does not know.",
        "1 row has fields that this package does not know: they are kept in `extra`.",
        "{} rows have fields that this package does not know: they are kept in `extra`.",
        "See whether the API has changed; newer versions of this package may know these fields.",
    ),
}
"""In the order of `schema.CHECKS`."""
