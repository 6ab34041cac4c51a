"""API-shaped answers as files: what each endpoint says in each case, from a real server.

For readers who want to see the shapes without a server, and for tests. ``python -m
optimove_analysis.sandbox.samples data/samples`` writes them anew.
"""

from __future__ import annotations

import json
import sys
from http.client import HTTPConnection
from pathlib import Path
from typing import Any, Final, NamedTuple
from urllib.parse import urlencode

from optimove_analysis.sandbox.endpoints import ENDPOINTS
from optimove_analysis.sandbox.server import Sandbox, sandbox
from optimove_analysis.sandbox.wire import HOST

__all__ = ["write"]


class _Case(NamedTuple):
    """One request: its function, what the file's name says of the case, and its parameters."""

    function: str
    case: str
    given: dict[str, str]
    key: str | None = None
    """Another key than the right one."""
    newer: bool = False
    """Whether the account's compatibility flag is on."""


_INTERACTIONS: Final = "GetCustomerChannelInteractions"
_METRICS: Final = "GetCampaignEngagementMetrics"


def _asked(customer_id: str, start: str, end: str) -> dict[str, str]:
    return {"CustomerID": customer_id, "StartDate": start, "EndDate": end}


_SAMPLE: Final = _asked("841231", "2018-08-19", "2018-09-19")
_SPRING: Final = _asked("000001", "2025-03-01", "2025-03-31")
_BLACK_FRIDAY: Final = {"CampaignID": "14270", "$top": "20"}

_CASES: Final = (
    _Case(_INTERACTIONS, "documented-sample.841231", _SAMPLE),
    _Case(_INTERACTIONS, "documented-sample.841231.flag-on", _SAMPLE, newer=True),
    _Case(_INTERACTIONS, "000001.2025", _asked("000001", "2025-01-01", "2025-12-31")),
    _Case(_INTERACTIONS, "A000040.2025", _asked("A000040", "2025-01-01", "2025-12-31")),
    _Case(_INTERACTIONS, "000001.2025-03", _SPRING),
    _Case(_INTERACTIONS, "000001.2025-03.flag-on", _SPRING, newer=True),
    _Case(_INTERACTIONS, "empty", _asked("000001", "2020-01-01", "2020-12-31")),
    _Case(_INTERACTIONS, "unknown-customer", _asked("nobody", "2025-01-01", "2025-12-31")),
    _Case(_INTERACTIONS, "wrong-key", _SPRING, key="wrong"),
    _Case(_INTERACTIONS, "reversed-dates", _asked("000001", "2025-03-31", "2025-03-01")),
    _Case(_INTERACTIONS, "missing-parameter", {"CustomerID": "000001"}),
    _Case(_METRICS, "documented-sample.841231", _SAMPLE),
    _Case(_METRICS, "000001.2025-03", _SPRING),
    _Case(_METRICS, "unknown-customer", _asked("nobody", "2025-01-01", "2025-12-31")),
    _Case("GetExecutionChannels", "all", {}),
    _Case("GetAllActions", "all", {}),
    _Case("GetChannelTemplates", "504", {"ChannelID": "504"}),
    _Case("GetChannelTemplates", "7", {"ChannelID": "7"}),
    _Case("GetExecutedCampaignDetails", "2025-11-28", {"Date": "2025-11-28"}),
    _Case("GetExecutedCampaignDetails", "empty", {"Date": "2020-01-01"}),
    _Case("GetCampaignDetails", "422", {"CampaignID": "422"}),
    _Case("GetCampaignDetails", "unknown-campaign", {"CampaignID": "1"}),
    _Case("GetTargetGroupDetails", "all", {}),
    _Case(
        "GetCustomerActionsByTargetGroup",
        "group-1.2025-11-28",
        {"TargetGroupID": "1", "Date": "2025-11-28", "$top": "20"},
    ),
    _Case("GetCustomerSendDetailsByCampaign", "14270", _BLACK_FRIDAY),
    _Case(
        "GetCustomerSendDetailsByCampaign",
        "14270.templates",
        _BLACK_FRIDAY | {"IncludeTemplateIDs": "true"},
    ),
    _Case("GetCustomerSendDetailsByCampaign", "unknown-campaign", {"CampaignID": "1"}),
    _Case("GetLastDataUpdate", "all", {}),
    _Case("login", "ended", {}),
)


def write(folder: str | Path, *, seed: int = 7) -> list[Path]:
    """Write one file a case, from a sandbox over HTTP, and return their paths in order.

    Names say function, seed, case and, where it is not 200, the status. Lists have one object a
    line; plain text is ``.txt``. The same seed writes the same bytes.
    """
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    with (
        sandbox(seed=seed) as older,
        sandbox(seed=seed, engagement_metrics=True) as newer,
        sandbox(seed=seed, quota=1, per=3600) as busy,
    ):
        written = [_write(folder, seed, case, newer if case.newer else older) for case in _CASES]
        too_many = _Case("GetLastDataUpdate", "too-many-requests", {})
        _answer(busy, too_many)
        return [*written, _write(folder, seed, too_many, busy)]


def _write(folder: Path, seed: int, case: _Case, box: Sandbox) -> Path:
    status, body = _answer(box, case)
    try:
        text, ending = _one_a_line(json.loads(body)), "json"
    except ValueError:
        text, ending = body.decode() + "\n", "txt"
    refused = "" if status == 200 else f".{status}"  # noqa: PLR2004 - HTTP's "OK"
    path = folder / f"{case.function}.seed{seed}.{case.case}{refused}.{ending}"
    path.write_text(text, encoding="utf-8", newline="\n")
    return path


def _answer(box: Sandbox, case: _Case) -> tuple[int, bytes]:
    endpoint = next(endpoint for endpoint in ENDPOINTS if endpoint.function == case.function)
    connection = HTTPConnection(HOST, int(box.url.rpartition(":")[2]), timeout=30)
    try:
        url = f"{endpoint.url_path}?{urlencode(case.given)}"
        connection.request(endpoint.method, url, headers={"X-API-KEY": case.key or box.api_key})
        response = connection.getresponse()
        return response.status, response.read()
    finally:
        connection.close()


def _one_a_line(value: Any) -> str:  # noqa: ANN401 - whatever JSON holds
    if not isinstance(value, list) or not value:
        return json.dumps(value) + "\n"
    return "[" + ",\n ".join(map(json.dumps, value)) + "]\n"


if __name__ == "__main__":
    for sample in write(sys.argv[1]):
        sys.stdout.write(f"{sample}\n")
