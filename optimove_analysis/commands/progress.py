"""How far a fetch has come: a bar on a terminal, a line now and then in a log."""

from __future__ import annotations

import sys
import time
from types import TracebackType
from typing import Any, Final, Self

from tqdm import tqdm

from optimove_analysis.client.fetch import BAR, Progress, draw

__all__ = ["Shown"]

_EVERY: Final = 30.0
"""Seconds between lines where there is no terminal."""


class Shown:
    """Shows progress on standard error; ``last`` is the latest, or None where nothing was sent."""

    def __init__(self, *, quiet: bool) -> None:
        self.last: Progress | None = None
        self._quiet = quiet
        self._bar: tqdm[Any] | None = None
        self._said = time.monotonic()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._bar is not None:
            self._bar.close()

    def __call__(self, state: Progress) -> None:
        """Take note of how far it is."""
        self.last = state
        if self._quiet:
            return
        if sys.stderr.isatty():
            self._draw(state)
        elif time.monotonic() - self._said >= _EVERY:
            self._said = time.monotonic()
            print(state, file=sys.stderr, flush=True)

    def _draw(self, state: Progress) -> None:
        if self._bar is None:
            total = state.total - state.cached
            self._bar = tqdm(total=total, desc="Optimove", bar_format=BAR, leave=False)
        draw(self._bar, state)
