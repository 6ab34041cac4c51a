"""Only type-checked, by mypy: the client is a form's source, and an audience's."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from optimove_analysis import OptimoveClient
    from optimove_analysis.forms import AudienceSource, Source

    def as_source(client: OptimoveClient) -> Source:
        return client

    def as_audience_source(client: OptimoveClient) -> AudienceSource:
        return client
