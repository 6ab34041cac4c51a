"""The demo: the whole way of the data once, from an audience's ids to a report."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import polars as pl

from optimove_analysis.analysis import channel_mix, funnel
from optimove_analysis.client import OptimoveClient
from optimove_analysis.report import engagement
from optimove_analysis.schema.dictionary import CUSTOMERS_IN_SAMPLE

__all__ = ["audience", "demo", "write_parquet"]

_START, _END = dt.date(2025, 1, 1), dt.date(2025, 12, 31)


def audience(client: OptimoveClient, size: int) -> list[str]:
    """Return the ids of ``size`` customers of the account's first target group of that size."""
    for group in client.target_groups()["target_group_id"]:
        ids = client.customers(group, _END)["customer_id"].unique(maintain_order=True)
        if len(ids) >= size:
            return ids.head(size).to_list()
    return ids.to_list()


def demo(out: Path, *, customers: int = CUSTOMERS_IN_SAMPLE) -> None:
    """Fetch an audience from the sandbox, print its funnel and mix, and write a report."""
    print("The sandbox is an invented account on this machine; nothing leaves it.")
    with OptimoveClient.sandbox() as client:
        ids = audience(client, customers)
        kept = client.cache.info().entries
        print(f"Fetching {len(ids)} customers' year, at the API's quota of 50 requests in 10 s ...")
        interactions = client.interactions(ids, _START, _END)
        fetched = client.cache.info().entries - kept
        print(
            f"{interactions.height:,} interactions: {len(ids) - fetched} customers answered from "
            f"the cache, {fetched} by the API. Kept in {client.cache.path}"
        )
        catalogue = client.catalogue()
        url = client.settings.url
    by_channel = funnel(interactions, catalogue=catalogue)
    mix = channel_mix(interactions, catalogue=catalogue)
    months = channel_mix(interactions, every="1mo", catalogue=catalogue)

    print("\nFunnel: messages that reached each stage within 7 days, and share of sent")
    _print(
        by_channel.select(
            pl.col("channel").alias("Channel"),
            pl.col("stage").cast(pl.String).alias("Stage"),
            pl.col("messages").alias("Messages"),
            _percent("overall_rate").alias("% of sent"),
            _range("overall_lo", "overall_hi").alias("95 % interval"),
            pl.col("n_implied").alias("Implied"),
        ).filter(pl.col("Messages").is_not_null())
    )
    print("\nChannel mix: shares of sends and of engagement; index 1 is par")
    _print(
        mix.select(
            pl.col("channel").alias("Channel"),
            pl.col("sends").alias("Sent"),
            _percent("share_of_sends").alias("% of sends"),
            _percent("share_of_engagements").alias("% of engagement"),
            pl.col("index").round(2).alias("Index"),
            pl.format("{} to {}", pl.col("index_lo").round(2), pl.col("index_hi").round(2)).alias(
                "95 % interval"
            ),
        )
    )
    written = engagement(
        by_channel,
        mix,
        out,
        mix_over_time=months,
        title="How an audience responds, and on which channel",
        intro=f"{len(ids)} customers of an invented account, campaigns sent in {_START:%Y}.",
        provenance={
            "Source": f"sandbox at {url}",
            "Customers": f"{len(ids)}",
            "Campaigns sent": f"{_START} to {_END}",
        },
    )
    print(f"\nReport: {written.resolve()}\nOpen it in a browser; it needs no network.")


def write_parquet(path: Path) -> None:
    """Write the year of `CUSTOMERS_IN_SAMPLE` customers of the sandbox."""
    with OptimoveClient.sandbox() as client:
        ids = audience(client, CUSTOMERS_IN_SAMPLE)
        client.interactions(ids, _START, _END).write_parquet(path, compression="zstd")


def _percent(column: str) -> pl.Expr:
    return pl.format("{} %", (pl.col(column) * 100).round(1))


def _range(lo: str, hi: str) -> pl.Expr:
    return pl.format("{} to {}", (pl.col(lo) * 100).round(1), (pl.col(hi) * 100).round(1))


def _print(frame: pl.DataFrame) -> None:
    with pl.Config(
        tbl_formatting="ASCII_MARKDOWN",
        tbl_hide_column_data_types=True,
        tbl_hide_dataframe_shape=True,
        tbl_rows=-1,
        tbl_cols=-1,
        tbl_width_chars=120,
        tbl_cell_numeric_alignment="RIGHT",
        thousands_separator=True,
    ):
        print(frame)
