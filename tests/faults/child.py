"""Fetches an audience in a process of its own, which may be killed, or be denied what it needs.

Run with one argument, JSON: ``url``, ``cache``, ``out`` (the frame, as Parquet), ``ids``, ``range``
and the client's ``options``; with ``largest``, no file may grow beyond so many bytes. The key comes
from the environment. Prints JSON: the kinds of warnings, and the time of day at the end.
"""

from __future__ import annotations

import json
import logging
import signal
import sys
import traceback
import warnings
from datetime import UTC, datetime
from typing import Any

from optimove_analysis.client import OptimoveClient


def main(given: dict[str, Any]) -> None:
    with warnings.catch_warnings(record=True) as seen:
        warnings.simplefilter("always")
        with OptimoveClient.from_env(
            given["url"], cache_dir=given["cache"], **given["options"]
        ) as client:
            frame = client.interactions(given["ids"], *given["range"], progress=True)
    allow(None)  # the frame is this program's own, and no part of the fault
    frame.write_parquet(given["out"])
    said = [f"{one.category.__name__}: {one.message}" for one in seen]
    print(json.dumps({"warnings": said, "now": datetime.now(UTC).isoformat()}))  # noqa: T201 - its answer


def allow(largest: int | None) -> None:
    """Let files grow to so many bytes, or as far as they may."""
    if sys.platform != "win32":
        import resource  # noqa: PLC0415 - not on every system

        _, most = resource.getrlimit(resource.RLIMIT_FSIZE)
        resource.setrlimit(resource.RLIMIT_FSIZE, (most if largest is None else largest, most))
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)  # an error, as a full disk's, and not the end


if __name__ == "__main__":
    logging.basicConfig(level=logging.DEBUG, stream=sys.stderr)
    asked = json.loads(sys.argv[1])
    if "largest" in asked:
        allow(asked["largest"])
    try:
        main(asked)
    except BaseException as error:  # noqa: BLE001 - shown as a debugger does, then the end
        shown = traceback.TracebackException.from_exception(error, capture_locals=True)
        sys.stderr.writelines(shown.format())
        raise SystemExit(3) from None
