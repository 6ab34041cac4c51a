"""Where an archive can lie, and what is said of where it cannot."""

from __future__ import annotations

from pathlib import Path

import pytest

from optimove_analysis import Archive, OptimoveClient
from optimove_analysis.archive.place import store_options
from optimove_analysis.errors import InputError, OptimoveAnalysisError

DAYS = ("2025-01-01", "2025-01-31")


@pytest.mark.parametrize("name", ["a b", "100%", "é", "[x]*?", "{a,b}", "#1", "it's"])
def test_a_folder_may_have_any_name(name: str, client: OptimoveClient, tmp_path: Path) -> None:
    archive = Archive(tmp_path / name / "archive", buckets=1)
    archive.update(client, ["000010", "000013"], *DAYS)
    archive.update(client, ["000010"], *DAYS, refresh=True)
    wanted = client.interactions(["000010", "000013"], *DAYS)
    assert archive.scan().collect().height == wanted.height > 0
    assert archive.as_of(1).scan().collect().height == wanted.height
    assert [Path(file).exists() for file in archive.files()] == [True]
    archive.forget("000010")
    assert archive.scan().collect()["customer_id"].unique().to_list() == ["000013"]
    with pytest.raises(InputError, match="cannot be read any more"):
        archive.as_of(1)


def test_a_file_uri_is_the_folder(client: OptimoveClient, tmp_path: Path) -> None:
    folder = tmp_path / "my archive"
    assert Archive(folder.as_uri()).path == str(folder)
    Archive(folder.as_uri()).update(client, "000010", *DAYS)
    assert Archive(folder).coverage().collect().height == 1


@pytest.mark.parametrize("uri", ["abc://x/y", "memory://x", "https://127.0.0.1/x", "hdfs://x/y"])
def test_a_store_that_nobody_knows_is_refused_with_those_that_are(uri: str) -> None:
    with pytest.raises(InputError, match=r"no store for an archive.* s3://"):
        Archive(uri)


@pytest.mark.parametrize(
    ("path", "said"),
    [
        ("s3://", "names no bucket"),
        ("file://data/archive", "three slashes"),
        ("env=prod/archive", "'env='"),
        ("s3://bucket/env=prod/archive", "'env='"),
        ("my%20archive", "'%20'"),
        ("", "must be a folder"),
    ],
)
def test_what_cannot_be_a_place_is_said(path: str, said: str) -> None:
    with pytest.raises(InputError, match=said):
        Archive(path)


def test_a_password_in_a_uri_is_not_said_again() -> None:
    with pytest.raises(InputError) as caught:
        Archive("s3://user:hush@bucket/archive")
    assert "hush" not in str(caught.value)


def test_a_store_that_does_not_answer_is_a_clear_error(client: OptimoveClient) -> None:
    nowhere = {
        "AWS_ENDPOINT_URL": "http://127.0.0.1:1",
        "AWS_ALLOW_HTTP": "true",
        "AWS_REGION": "eu-west-1",
        "AWS_SKIP_SIGNATURE": "true",
        "max_retries": "0",
    }
    archive = Archive("s3://bucket/archive", storage_options=nowhere)
    for act in (lambda: archive.update(client, "000010", *DAYS), archive.scan, archive.info):
        with pytest.raises(OptimoveAnalysisError, match=r"cannot be read .*[Cc]onnect"):
            act()


def test_options_of_the_store_and_of_http_are_told_apart() -> None:
    given = {
        "AWS_REGION": "eu-west-1",
        "aws_endpoint_url": "http://127.0.0.1:1",
        "AWS_ALLOW_HTTP": "true",
        "timeout": "30s",
        "AWS_S3_ALLOW_UNSAFE_RENAME": "true",
        "DELTA_DYNAMO_TABLE_NAME": "locks",
        "max_retries": "3",
    }
    assert store_options(given) == (
        {"aws_region": "eu-west-1", "aws_endpoint_url": "http://127.0.0.1:1"},
        {"allow_http": "true", "timeout": "30s"},
    )
    assert store_options(None) == ({}, {})
