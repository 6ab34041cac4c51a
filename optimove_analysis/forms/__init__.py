"""ipywidgets forms, one a file; each takes a source (the client, or anything that answers alike).

>>> from optimove_analysis import OptimoveClient, forms
>>> client = OptimoveClient.sandbox()
>>> form = forms.CustomerForm(client, customer_id="000001")
>>> client.close()
"""

from __future__ import annotations

from optimove_analysis.forms.customer_form import CustomerForm
from optimove_analysis.forms.snippets import LANGUAGES, snippet
from optimove_analysis.forms.source import Source
from optimove_analysis.forms.view import View

__all__ = ["CustomerForm", "Source", "View"]
from optimove_analysis.forms.try_it_console import TryItConsole

__all__ = ["LANGUAGES", "CustomerForm", "Source", "TryItConsole", "snippet"]
