"""What is exported is a whole file, or none."""

from __future__ import annotations

import resource
from pathlib import Path

import pytest

from optimove_analysis.errors import InputError
from optimove_analysis.forms.export import Artefact, Export, text_artefact


def export(*artefacts: Artefact) -> Export:
    made = Export(lambda: artefacts)
    made.refresh()
    return made


def test_a_full_disk_leaves_no_half_of_a_file(tmp_path: Path) -> None:
    words = export(text_artefact("Words", "words.txt", "x" * 100_000))
    place = tmp_path / "words.txt"
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (50_000, limits[1]))
    try:
        with pytest.raises(InputError, match=r"words\.txt cannot be written \(File too large\)"):
            words.save(place)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert not place.exists()
    words.save(place)  # nothing is in the way
    assert place.stat().st_size == 100_000


def test_a_disk_that_is_full_while_a_file_is_made_is_said() -> None:
    def full() -> bytes:
        raise OSError(28, "No space left on device")

    chart = export(Artefact("Chart", "chart.svg", full))
    with pytest.raises(InputError, match=r"chart\.svg cannot be made \(No space left"):
        chart.link()


@pytest.mark.parametrize(("name", "words"), [("no/such/x.txt", "No such file"), ("a\0b", "null")])
def test_a_place_that_cannot_be_is_said(tmp_path: Path, name: str, words: str) -> None:
    with pytest.raises(InputError, match=words):
        export(text_artefact("Words", "words.txt", "x")).save(tmp_path / name)
