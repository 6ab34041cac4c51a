"""The client: Optimove's API as typed frames, cached on disk and true to the quota.

>>> from optimove_analysis.client import OptimoveClient
>>> with OptimoveClient("api5", api_key="not a real one") as client:
...     client.quota
Quota(50, 10.0)

``client``: `OptimoveClient`, one method an endpoint. ``audience`` and ``fetch``: many customers.
``session``: one request, from the cache or the API. ``cache``, ``quota``, ``transport``,
``settings``: what it stands on. ``ledger`` and ``presence``: what processes know of each other.
``snapshot`` and ``pseudonyms``: answers in one file, for ever. ``ask`` and ``reply``: one request,
to look at.
``responses`` and ``convert``: bytes to typed frames.
"""

from __future__ import annotations

from optimove_analysis.client.cache import Cache, CacheWarning
from optimove_analysis.client.cache_info import CacheInfo
from optimove_analysis.client.campaign_route import RouteWarning
from optimove_analysis.client.client import OptimoveClient
from optimove_analysis.client.fetch import Progress
from optimove_analysis.client.frames import Collected
from optimove_analysis.client.freshness import NotFoundWarning
from optimove_analysis.client.last_update import LastUpdateWarning
from optimove_analysis.client.plan import Plan
from optimove_analysis.client.pseudonyms import new_pseudonym_key, pseudonym
from optimove_analysis.client.quota import Quota, QuotaWarning
from optimove_analysis.client.reply import Reply
from optimove_analysis.client.responses import (
    CHANNEL_INTERACTIONS,
    ENGAGEMENT_METRICS,
    ResponseFormat,
    parse,
    parse_table,
)
from optimove_analysis.client.route_cost import RouteCost
from optimove_analysis.client.settings import Secret, Settings
from optimove_analysis.client.snapshot import Snapshot

__all__ = [
    "CHANNEL_INTERACTIONS",
    "ENGAGEMENT_METRICS",
    "Cache",
    "CacheInfo",
    "CacheWarning",
    "Collected",
    "LastUpdateWarning",
    "NotFoundWarning",
    "OptimoveClient",
    "Plan",
    "Progress",
    "Quota",
    "QuotaWarning",
    "Reply",
    "ResponseFormat",
    "RouteCost",
    "RouteWarning",
    "Secret",
    "Settings",
    "Snapshot",
    "new_pseudonym_key",
    "parse",
    "parse_table",
    "pseudonym",
]
