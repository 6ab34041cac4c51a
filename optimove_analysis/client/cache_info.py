"""What a cache holds, as a text and as a table for the notebook."""

from __future__ import annotations

import html
from dataclasses import dataclass
from pathlib import Path

from optimove_analysis.client.store import Endpoint

__all__ = ["CacheInfo", "size_text"]


@dataclass(frozen=True, slots=True)
class CacheInfo:
    """What a cache holds.

    >>> kept = Endpoint("customers/GetX", 2, 3_000, "2026-01-01 09:00:00", "2026-01-02 09:00:00")
    >>> CacheInfo(Path("answers.sqlite"), 40_960, (kept,), hits=3, misses=1)
    answers.sqlite: 2 answers, 41.0 kB on disk; this client had 3 of 4 answers from it
      GetX  2  3.0 kB  2026-01-01 to 2026-01-02
    """

    path: Path
    size: int
    """Bytes on disk, with what SQLite keeps beside the file."""
    endpoints: tuple[Endpoint, ...]
    """What is kept of each function."""
    hits: int = 0
    """Answers that this client had from the cache."""
    misses: int = 0
    """Answers that this client had to ask the API for."""
    set_aside: tuple[Path, ...] = ()
    """Files that could not be used, kept under another name; nothing needs them."""

    @property
    def entries(self) -> int:
        """How many answers there are."""
        return sum(endpoint.entries for endpoint in self.endpoints)

    @property
    def oldest(self) -> str | None:
        """When the oldest answer was fetched, in UTC."""
        return min((endpoint.oldest for endpoint in self.endpoints), default=None)

    @property
    def hit_rate(self) -> float | None:
        """The share of this client's answers that came from the cache; None: it asked nothing."""
        asked = self.hits + self.misses
        return self.hits / asked if asked else None

    def as_dict(self) -> dict[str, object]:
        """Return it as plain values, for JSON."""
        return {
            "path": str(self.path),
            "size": self.size,
            "entries": self.entries,
            "oldest": self.oldest,
            "hits": self.hits,
            "misses": self.misses,
            "hit_rate": self.hit_rate,
            "endpoints": [endpoint._asdict() for endpoint in self.endpoints],
            "set_aside": [str(path) for path in self.set_aside],
        }

    def __repr__(self) -> str:
        lines = [f"{self.path}: {self._summary()}"]
        cells = [self._cells(endpoint) for endpoint in self.endpoints]
        widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
        lines += [
            f"  {name:{widths[0]}}  {entries:>{widths[1]}}  {size:>{widths[2]}}  {span}"
            for name, entries, size, span in cells
        ]
        if self.set_aside:
            lines.append(f"  set aside, to be removed: {', '.join(p.name for p in self.set_aside)}")
        return "\n".join(lines)

    def _repr_html_(self) -> str:
        # Every cell says how it stands: a notebook puts all of them to the right.
        sides = ("left", "right", "right", "left")
        head = "".join(
            f'<th scope="col" style="text-align:{side}">{name}</th>'
            for name, side in zip(("function", "answers", "size", "fetched"), sides, strict=True)
        )
        rows = "".join(
            "<tr>"
            + "".join(
                f'<td style="text-align:{side}">{html.escape(cell)}</td>'
                for cell, side in zip(self._cells(one), sides, strict=True)
            )
            + "</tr>"
            for one in self.endpoints
        )
        table = f"<table><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table>"
        aside = "".join(
            f"<p>set aside, to be removed: {html.escape(path.name)}</p>" for path in self.set_aside
        )
        return (
            f"<div><p>{self._summary()}<br><code>{html.escape(str(self.path))}</code></p>"
            f"{table if rows else ''}{aside}</div>"
        )

    def _summary(self) -> str:
        many = "" if self.entries == 1 else "s"
        text = f"{self.entries:,} answer{many}, {size_text(self.size)} on disk"
        if self.hit_rate is None:
            return text
        asked = self.hits + self.misses
        return f"{text}; this client had {self.hits:,} of {asked:,} answers from it"

    @staticmethod
    def _cells(one: Endpoint) -> tuple[str, str, str, str]:
        days = sorted({one.oldest[:10], one.newest[:10]})
        name = one.function.rsplit("/", 1)[-1]
        return name, f"{one.entries:,}", size_text(one.size), " to ".join(days)


def size_text(size: float) -> str:
    """Return a number of bytes as people read it.

    >>> size_text(999), size_text(41_000), size_text(2_500_000_000)
    ('999 B', '41.0 kB', '2.5 GB')
    """
    for unit in ("B", "kB", "MB"):
        if size < 1_000:  # noqa: PLR2004 - kilo
            return f"{size:.0f} B" if unit == "B" else f"{size:.1f} {unit}"
        size /= 1_000
    return f"{size:.1f} GB"
