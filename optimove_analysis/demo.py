"""The demo: the whole way of the data once, from an audience's ids to a report."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import polars as pl

from optimove_analysis import charts
from optimove_analysis.analysis import channel_mix, funnel, journey
from optimove_analysis.client import OptimoveClient
from optimove_analysis.errors import InputError
from optimove_analysis.report import build
from optimove_analysis.schema.dictionary import CUSTOMERS_IN_SAMPLE

__all__ = ["DEMO_CUSTOMERS", "audience", "demo", "write_data"]

_START, _END = dt.date(2025, 1, 1), dt.date(2025, 12, 31)
# More than 30 days before the sandbox's last data update: such a range no longer changes, and a
# demo on another day is answered from the cache as well.
_SETTLED = dt.date(2025, 11, 30)
# With the few requests for names, as many as the quota lets through in 20 seconds.
DEMO_CUSTOMERS = 140


def audience(client: OptimoveClient, size: int) -> list[str]:
    """Return the ids of ``size`` customers of the account's first target group of that size."""
    for group in client.target_groups()["target_group_id"]:
        ids = client.customers(group, _END)["customer_id"].unique(maintain_order=True)
        if len(ids) >= size:
            return ids.head(size).to_list()
    return ids.to_list()


def demo(out: Path, *, customers: int = DEMO_CUSTOMERS) -> None:
    """Fetch an audience from the sandbox, print its funnel and mix, and write a report."""
    if customers < 1:
        message = f"customers={customers!r} must be 1 or more."
        raise InputError(message)
    print("The sandbox is an invented account on this machine; nothing leaves it.")
    with OptimoveClient.sandbox() as client:
        ids = audience(client, customers)
        print(f"Fetching {len(ids)} customers, at the API's quota of 50 requests in 10 s ...")
        interactions = client.interactions(ids, _START, _SETTLED)
        sent = f"{client.quota.sent} requests sent" if client.quota.sent else "all from the cache"
        print(f"{interactions.height:,} interactions; {sent}. Kept in {client.cache.path}")
        catalogue = client.catalogue()
        client.last_update()
        study = client.snapshot(out.with_suffix(".oma"), note="the demo", overwrite=True)
    by_channel = funnel(interactions, catalogue=catalogue)
    mix = channel_mix(interactions, catalogue=catalogue)

    print("\nFunnel: messages that reached each stage within 7 days of the send\n")
    print(charts.table(by_channel.filter(pl.col("messages").is_not_null())))
    print("\nChannel mix: index is share of engagements over share of sends; 1 is par\n")
    print(charts.table(mix))
    print("\nWriting the report ...")
    written = build(
        "audience-engagement",
        out,
        snapshot=study,
        title="How an audience responds, and on which channel",
    )
    print(
        f"\nReport: {written.resolve()}\nOpen it in a browser; it needs no network. It rests on "
        f"{study.path.name}, and can be made again from that."
    )


def write_data(folder: Path) -> None:
    """Write a year of the sandbox's customers as Parquet, and pictures of it."""
    with OptimoveClient.sandbox() as client:
        ids = audience(client, CUSTOMERS_IN_SAMPLE)
        interactions = client.interactions(ids, _START, _END)
        catalogue = client.catalogue()
    interactions.write_parquet(folder / "interactions.parquet", compression="zstd")
    pictures = folder / "pictures"
    pictures.mkdir(exist_ok=True)
    by_channel = funnel(interactions, catalogue=catalogue)
    mix = channel_mix(interactions, catalogue=catalogue)
    charts.save(charts.funnel(by_channel), pictures / "funnel.png")
    charts.save(charts.channel_mix(mix), pictures / "channel_mix.png")
    sent = interactions["customer_id"].value_counts().sort("count", "customer_id")
    busiest = interactions.filter(customer_id=sent["customer_id"][-1])
    charts.save(charts.journey(journey(busiest, catalogue=catalogue)), pictures / "journey.png")
