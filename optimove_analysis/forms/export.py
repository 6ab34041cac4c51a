"""What a form has found, as files: in the kernel's folder, and to download from the page."""

from __future__ import annotations

import base64
import html
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import altair as alt
import ipywidgets as widgets
import polars as pl

from optimove_analysis import charts
from optimove_analysis.errors import InputError, OptimoveAnalysisError
from optimove_analysis.forms.page_parts import Html, SpeakingLine

__all__ = ["Artefact", "Export", "chart_artefacts", "table_artefacts", "text_artefact"]

_MOST_IN_PAGE: Final = 10_000_000
"""Bytes: a link holds all of the file, and the page must carry it."""
_MEDIA: Final = {
    ".csv": "text/csv",
    ".parquet": "application/vnd.apache.parquet",
    ".svg": "image/svg+xml",
    ".png": "image/png",
    ".html": "text/html",
    ".py": "text/x-python",
    ".txt": "text/plain",
}


@dataclass(frozen=True, slots=True)
class Artefact:
    """Something that can be a file; it is made when it is asked for."""

    what: str
    file: str
    """The name that is offered; its suffix is the format."""
    make: Callable[[], bytes]

    @property
    def format(self) -> str:
        """The format, as people call it."""
        return Path(self.file).suffix[1:].upper()


class Export:
    """A choice of what, a place for a file, and a link.

    Args:
        artefacts: gives what can be exported now; it is asked at each `refresh`.
    """

    def __init__(self, artefacts: Callable[[], Sequence[Artefact]]) -> None:
        self._artefacts = artefacts
        self._now: Sequence[Artefact] = ()
        wide = {"style": {"description_width": "initial"}}
        room = {"max_width": "100%"}
        self._what = widgets.Dropdown(
            description="Export", layout=widgets.Layout(width="20em", **room), **wide
        )
        self._format = widgets.Dropdown(
            description="as", layout=widgets.Layout(width="9em", **room), **wide
        )
        self._path = widgets.Text(
            description="File", layout=widgets.Layout(width="24em", **room), **wide
        )
        self._save = widgets.Button(description="Save file", icon="save")
        self._link = widgets.Button(description="Make link", icon="download")
        self._save.tooltip = "Write it into the kernel's working folder"
        self._link.tooltip = "Make a link here, to download it"
        self._place, self._line = Html(), SpeakingLine()
        row = widgets.Layout(flex_flow="row wrap", grid_gap="4px 16px", align_items="center")
        self.widget = widgets.VBox(
            [
                widgets.HBox([self._what, self._format, self._link, self._place], layout=row),
                widgets.HBox([self._path, self._save], layout=row),
                self._line,
            ]
        )
        self._what.observe(lambda _: self._offer_formats(), "value")
        self._format.observe(lambda _: self._chosen(), "value")
        self._save.on_click(lambda _: self._try(self.save))
        self._link.on_click(lambda _: self._try(self.link))

    def refresh(self) -> None:
        """Offer what there is now; what is chosen stays so."""
        self._now = self._artefacts()
        what, kind = self._what.value, self._format.value
        names = list(dict.fromkeys(one.what for one in self._now))
        self._what.options = names
        self._what.value = what if what in names else next(iter(names), None)
        self._offer_formats()
        if kind in self._format.options:
            self._format.value = kind
        self._chosen()

    def _offer_formats(self) -> None:
        kinds = [one.format for one in self._now if one.what == self._what.value]
        if list(self._format.options) != kinds:
            self._format.options = kinds
            self._format.value = next(iter(kinds), None)  # not by itself, once it had none
        self._chosen()

    def choose(self, what: str, format: str) -> None:  # noqa: A002 - it reads as on the form
        """Choose what to export, as a click would.

        Raises:
            InputError: there is no such thing; the message says what there is.
        """
        self._now = self._now or self._artefacts()
        names = [f"{one.what}, {one.format}" for one in self._now]
        if f"{what}, {format}" not in names:
            raise InputError.option("export", f"{what}, {format}", names)
        self._what.value = what
        self._format.value = format

    def save(self, path: str | Path | None = None) -> Path:
        """Write what is chosen to a file that is not there yet; return where.

        Args:
            path: where to; by default what stands in the field, in the kernel's working folder.

        Raises:
            InputError: the file is there already, or cannot be written.
        """
        chosen = self._chosen_one()
        place = Path(path or self._path.value.strip() or chosen.file).expanduser()
        if not place.suffix:
            place = place.with_suffix(Path(chosen.file).suffix)
        if place.exists():  # before it is made, which may take long
            raise InputError(f"{place} is there already; give another name.")
        content = _made(chosen)
        try:
            _write(place, content)
        except FileExistsError as error:
            raise InputError(f"{place} is there already; give another name.") from error
        except (OSError, ValueError) as error:
            why = getattr(error, "strerror", None) or error
            raise InputError(f"{place} cannot be written ({why}).") from error
        self._line.say(f"Saved {place.resolve()} ({_size(len(content))}).")
        return place

    def link(self) -> str:
        """Show a link to download what is chosen; return its HTML.

        Raises:
            InputError: it is too large for a page.
        """
        chosen = self._chosen_one()
        content = _made(chosen)
        if len(content) > _MOST_IN_PAGE:
            raise InputError(
                f"{chosen.file} has {_size(len(content))}, too much for a link in a page: save it "
                "as a file."
            )
        kind = _MEDIA.get(Path(chosen.file).suffix, "application/octet-stream")
        data = base64.b64encode(content).decode()
        name = html.escape(chosen.file)
        self._place.value = (
            f'<a download="{name}" href="data:{kind};base64,{data}" style="color: '
            f'var(--jp-content-link-color, #0b57d0)">Download {name} ({_size(len(content))})</a>'
        )
        self._line.say(f"The link to {chosen.file} is there.")
        return str(self._place.value)

    def _chosen_one(self) -> Artefact:
        if not self._now:
            raise InputError("there is nothing to export yet: press Run first.")
        wanted = (self._what.value, self._format.value)
        return next(one for one in self._now if (one.what, one.format) == wanted)

    def _chosen(self) -> None:
        self._place.value = ""
        self._line.clear()
        if self._format.value is not None:
            self._path.value = self._chosen_one().file

    def _try(self, work: Callable[[], object]) -> None:
        try:
            work()
        except OptimoveAnalysisError as error:
            self._line.warn(str(error))
        except Exception as error:  # noqa: BLE001 - a handler's exception would go unseen
            self._line.warn(f"unexpected {type(error).__name__}: {error}")


def _made(chosen: Artefact) -> bytes:
    try:
        return chosen.make()
    except OSError as error:  # it is written on the way to be a file
        raise InputError(f"{chosen.file} cannot be made ({error.strerror or error}).") from error


def _write(place: Path, content: bytes) -> None:
    """Write a file that is not there yet, whole or not at all."""
    with place.open("xb") as file:  # so that even a race overwrites nothing
        try:
            file.write(content)
            file.flush()
        except BaseException:  # what is left of it would be in the way of the next try
            place.unlink()
            raise


def table_artefacts(label: str, stem: str, frame: pl.DataFrame) -> list[Artefact]:
    """Return a frame as CSV and as Parquet; in CSV a list is its texts with spaces between."""

    def csv() -> bytes:
        lists = [name for name, dtype in frame.schema.items() if dtype == pl.List]
        text = pl.col(lists).list.eval(pl.element().cast(pl.String)).list.join(" ")
        return (frame.with_columns(text) if lists else frame).write_csv().encode()

    def parquet() -> bytes:
        with tempfile.TemporaryDirectory() as folder:
            place = Path(folder) / "it.parquet"
            frame.write_parquet(place)
            return place.read_bytes()

    return [
        Artefact(label, f"{stem}.csv", csv),
        Artefact(label, f"{stem}.parquet", parquet),
    ]


def chart_artefacts(label: str, stem: str, chart: alt.TopLevelMixin) -> list[Artefact]:
    """Return a chart as SVG, PNG and a page of its own."""

    def made(suffix: str) -> Callable[[], bytes]:
        def make() -> bytes:
            with tempfile.TemporaryDirectory() as folder:
                return charts.save(chart, Path(folder) / f"it{suffix}").read_bytes()

        return make

    return [
        Artefact(label, f"{stem}{suffix}", made(suffix)) for suffix in (".svg", ".png", ".html")
    ]


def text_artefact(label: str, file: str, text: str) -> Artefact:
    """Return a text as it is."""
    return Artefact(label, file, text.encode)


def _size(number: int) -> str:
    """Write a size.

    >>> _size(800), _size(34_000), _size(12_300_000)
    ('800 bytes', '34 KB', '12.3 MB')
    """
    if number < 1_000:  # noqa: PLR2004 - a thousand
        return f"{number} bytes"
    return f"{number / 1e3:.0f} KB" if number < 1e6 else f"{number / 1e6:.1f} MB"  # noqa: PLR2004
