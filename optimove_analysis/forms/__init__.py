"""ipywidgets forms, one a file; each takes a source (the client, or anything that answers alike).

>>> from optimove_analysis import OptimoveClient, forms
>>> client = OptimoveClient.sandbox()
>>> form = forms.CustomerForm(client, customer_id="000001")
>>> client.close()
"""

from __future__ import annotations

from optimove_analysis.forms.audience_form import AudienceForm
from optimove_analysis.forms.audience_view import AudienceView
from optimove_analysis.forms.customer_form import CustomerForm
from optimove_analysis.forms.snippets import LANGUAGES, snippet
from optimove_analysis.forms.source import AudienceSource, Source
from optimove_analysis.forms.try_it_console import TryItConsole
from optimove_analysis.forms.view import View

__all__ = [
    "LANGUAGES",
    "AudienceForm",
    "AudienceSource",
    "AudienceView",
    "CustomerForm",
    "Source",
    "TryItConsole",
    "View",
    "snippet",
]
