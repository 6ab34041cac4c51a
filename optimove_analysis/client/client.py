"""`OptimoveClient`: one method an endpoint, typed frames out."""

from __future__ import annotations

import threading
import warnings
import weakref
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any, Self

import polars as pl

from optimove_analysis.catalogue import Catalogue
from optimove_analysis.client import endpoints
from optimove_analysis.client.cache import Cache
from optimove_analysis.client.convert import loads
from optimove_analysis.client.fetch import (
    ProgressOption,
    Request,
    fetch_missing,
    kept_answers,
)
from optimove_analysis.client.inputs import Day, Ids, as_day, as_ids, as_range
from optimove_analysis.client.quota import Quota, ledger_of
from optimove_analysis.client.responses import parse, parse_table
from optimove_analysis.client.sandbox_process import SandboxProcess
from optimove_analysis.client.session import Answer, Session
from optimove_analysis.client.settings import QUOTA, Settings, read_environment
from optimove_analysis.errors import ApiError, InputError, OptimoveAnalysisError, SchemaError
from optimove_analysis.schema import (
    ACTIONS,
    CAMPAIGNS,
    CHANNELS,
    CUSTOMERS,
    TARGET_GROUPS,
    TEMPLATES,
    Table,
)

__all__ = ["LastUpdateWarning", "OptimoveClient"]
