"""Who may ask, and how often: login tokens and the rate limit."""

from __future__ import annotations

import math
import secrets
from collections import defaultdict, deque
from collections.abc import Callable
from typing import Final

from optimove_analysis.errors import InputError

__all__ = ["Quota", "Tokens"]

_TOKEN_SECONDS: Final = 20 * 60  # as documented for the logins of old


class Quota:
    """Admits at most ``limit`` arrivals of one credential in any half-open ``per`` seconds.

    >>> now = iter([0.0, 4.0, 9.9, 10.0, 10.1]).__next__
    >>> quota = Quota(2, 10.0, clock=now)
    >>> [quota.arrive("key")[1] for _ in range(5)]
    [True, True, False, True, False]

    Raises:
        InputError: a limit below 1, or a time that is not positive.
    """

    def __init__(self, limit: int, per: float, *, clock: Callable[[], float]) -> None:
        if limit < 1:
            raise InputError(f"quota={limit}: at least one request must be allowed.")
        if not 0 < per < math.inf:
            raise InputError(f"per={per}: give a positive number of seconds.")
        self.limit, self.per = limit, per
        self._clock = clock
        self._admitted: defaultdict[str, deque[float]] = defaultdict(lambda: deque(maxlen=limit))

    def now(self) -> float:
        """Return the clock's time, for an arrival that no quota counts."""
        return self._clock()

    def arrive(self, credential: str) -> tuple[float, bool]:
        """Return the time of this arrival, and whether it is within the quota.

        A refused arrival takes no place. Whether the real API counts refused requests is not
        documented: its "until the window clears" can be read either way.
        """
        now = self.now()
        admitted = self._admitted[credential]
        # The window is half open: an arrival just `per` seconds after another is not in its window.
        if len(admitted) == self.limit and now - admitted[0] < self.per:
            return now, False
        admitted.append(now)  # the oldest of `limit` falls out by itself
        return now, True


class Tokens:
    """The tokens that logins gave out, each valid for 20 minutes after its last use."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._used: dict[str, float] = {}

    def new(self) -> str:
        """Return a new token."""
        token = secrets.token_hex(16)
        self._used[token] = self._clock()
        return token

    def use(self, token: str) -> bool:
        """Tell whether a token is valid, which it then is for 20 minutes more."""
        now = self._clock()
        valid = token in self._used and now - self._used[token] <= _TOKEN_SECONDS
        if valid:
            self._used[token] = now
        return valid
