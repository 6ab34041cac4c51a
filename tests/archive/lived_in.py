"""An archive that has a past: both response formats, ranges that were replaced, files of before."""

from __future__ import annotations

from contextlib import ExitStack
from pathlib import Path
from typing import Final

from optimove_analysis import Archive, OptimoveClient
from optimove_analysis.sandbox import sandbox

__all__ = ["CUSTOMERS", "lived_in", "of_before"]

CUSTOMERS: Final = 40


def lived_in(folder: Path) -> Archive:
    """Return an archive whose every part was rewritten, and whose folder has the files of before.

    Half of the customers are answered for in one format, half in the other; all were asked for
    half a year, then for all of it again.
    """
    archive = Archive(folder / "José's archive", buckets=4)
    for number, flag in enumerate((False, True)):
        with ExitStack() as opened:
            box = opened.enter_context(sandbox(quota=100_000, engagement_metrics=flag))
            client = opened.enter_context(
                OptimoveClient(
                    box.url, box.api_key, cache_dir=folder / f"cache-{flag}", quota=(10_000, 1.0)
                )
            )
            half = box.world.customer_ids(CUSTOMERS)[number::2]
            archive.update(client, half, "2025-01-01", "2025-06-30")
            archive.update(client, half, "2025-01-01", "2025-12-31", refresh=True)
    return archive


def of_before(archive: Archive) -> set[str]:
    """Return the files in the archive's folder that only earlier states had."""
    there = Path(archive.path, "interactions").glob("bucket=*/*.parquet")
    return set(map(str, there)) - set(archive.files())
