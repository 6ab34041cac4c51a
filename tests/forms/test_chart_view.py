"""A chart as a widget: what it sends to the page."""

from __future__ import annotations

import altair as alt
import polars as pl
import pytest
from charts.tables import audience_funnel

from optimove_analysis import charts
from optimove_analysis.charts.theme import config
from optimove_analysis.errors import InputError
from optimove_analysis.forms.chart_view import ChartView, VegaEngine


def test_the_spec_goes_to_the_page_and_its_look_apart() -> None:
    view, chart = ChartView(), charts.funnel(audience_funnel())
    view.show(chart)
    whole = chart.to_dict()
    assert whole.pop("config")["background"] == config("light")["background"]
    assert view.specs == {"wide": whole}
    assert view.looks == {"light": config("light"), "dark": config("dark")}


def test_each_picture_has_a_number_even_if_it_is_the_same_again() -> None:
    view, chart = ChartView(), charts.funnel(audience_funnel())
    view.show(chart, narrow=charts.funnel(audience_funnel(), columns=1))
    view.show(chart)
    assert view.number == 2
    assert set(view.specs) == {"wide"}
    view.clear()
    assert view.specs == {}


def test_the_library_is_sent_once_a_form_and_not_with_every_chart() -> None:
    view, engine = ChartView(), VegaEngine()
    assert len(view.get_state()["_esm"]) < 10_000
    assert len(engine.get_state()["_esm"]) > 500_000
    for text in (view.get_state()["_esm"], engine.get_state()["_esm"]):
        assert "cdn.jsdelivr.net" not in text.split("export default")[-1]


def test_a_chart_whose_data_lies_elsewhere_is_refused() -> None:
    chart = alt.Chart("https://example.org/x.csv").mark_bar()
    with pytest.raises(InputError, match="nothing here uses the network"):
        ChartView().show(chart)


def test_what_a_user_writes_in_a_title_is_data() -> None:
    table = audience_funnel().with_columns(channel=pl.lit("</script><b>"))
    view = ChartView()
    view.show(charts.funnel(table.head(4)))
    assert "</script><b>" in str(view.specs)
