"""Wrong words are answered with the right ones."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from optimove_analysis.cli import main

FETCH = ["fetch", "ids.csv", "--from", "2025-01-01", "--to", "2025-12-31", "-o", "out.csv"]


@pytest.mark.parametrize(
    ("words", "says"),
    [
        ([], "which command? fetch, plan, "),
        (["cache"], "which command? info, clear or forget."),
        (["cache", "forget", "  ", "--all", "--yes"], "The id is blank"),
        (["archive"], "which command? update, info, import, compact or forget."),
        (["archive", "forget", "years", "1", "  ", "--yes"], "An id is blank"),
        (["archive", "forget", "years", "--yes"], "whom to forget? Give ids"),
        (["archive", "compact", "years", "--keep", "7"], "as 12h, 7d, 4w"),
        (["archive", "info", "years", "--jsn"], "Did you mean --json?"),
        (["archive", "import", "years", "x", "--column", "date"], "as customer_id=CUSTOMER"),
        (["fetsh"], "there is no command 'fetsh'. Did you mean fetch?"),
        (["cache", "inf"], "there is no command 'inf'. Did you mean info?"),
        ([*FETCH, "--ofline"], "--ofline is not known here. Did you mean --offline?"),
        (["fetch", "ids.csv", "--form", "2025-01-01"], "Did you mean --from?"),
        (["cache", "info", "--al"], "Did you mean --all?"),
        ([*FETCH, "--quota", "50"], "give requests/seconds, as 50/10"),
        ([*FETCH, "--quota", "0/10"], "give requests/seconds, as 50/10"),
        ([*FETCH, "--threads", "0"], "give 1 or more, as 16"),
        (["plan", "x", "--from", "2025-13-01", "--to", "2025-12-31"], "as 2025-12-31"),
        (["cache", "clear", "--older-than", "90"], "as 90d or 12h, nor a day"),
        ([*FETCH, "--on-error", "ignore"], "collect"),
        ([*FETCH, "--on-error", "raise", "--failures", "f.csv"], "--on-error collect"),
        ([*FETCH, "--refresh", "--offline"], "give one of them"),
    ],
)
def test_wrong_usage_is_one_line_and_status_2(
    words: list[str], says: str, capsys: pytest.CaptureFixture[str]
) -> None:
    try:
        status = main(words)
    except SystemExit as end:
        status = int(end.code or 0)
    said = capsys.readouterr()
    assert status == 2
    assert said.out == ""
    assert says in said.err
    assert len(said.err.splitlines()) == 1


@pytest.mark.parametrize("words", [["--api-key", "k-0123"], ["--api-key=k-0123"]])
def test_a_key_on_the_command_line_is_refused_and_not_repeated(
    words: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit):
        main([*FETCH, *words])
    said = capsys.readouterr().err
    assert "k-0123" not in said
    assert "set OPTIMOVE_API_KEY" in said


@pytest.mark.skipif(sys.platform == "win32", reason="there is no pseudo-terminal")
def test_ctrl_c_ends_a_question_at_once() -> None:
    import pty  # noqa: PLC0415 - not on Windows

    # With polars loaded, the system would go on waiting for what is typed.
    code = (
        "import fcntl, sys, termios\nfrom optimove_analysis.cli import main\n"
        "fcntl.ioctl(0, termios.TIOCSCTTY, 0)  # this terminal's Ctrl-C is ours\n"
        "sys.exit(main(['login', '--instance', 'api5', '--no-check']))"
    )
    ours, theirs = pty.openpty()
    with subprocess.Popen(
        [sys.executable, "-c", code],
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        start_new_session=True,
    ) as run:
        os.close(theirs)
        seen = b""
        while b"API key" not in seen:
            seen += os.read(ours, 4096)
        os.write(ours, b"\x03")
        assert run.wait(timeout=30) == 130
        while b"interrupted." not in seen:
            seen += os.read(ours, 4096)
    os.close(ours)


COMMANDS = [
    *(["fetch"], ["plan"], ["snapshot"], ["doctor"], ["login"], ["logout"]),
    *(["cache", "info"], ["cache", "clear"], ["cache", "forget"]),
]


@pytest.mark.parametrize("words", COMMANDS, ids=" ".join)
def test_every_commands_help_has_examples_that_fit_a_terminal(
    words: list[str], capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "100")
    with pytest.raises(SystemExit) as end:
        main([*words, "--help"])
    said = capsys.readouterr().out
    assert end.value.code == 0
    assert f"optimove-analysis {' '.join(words)}" in said.partition("examples:")[2]
    assert max(map(len, said.splitlines())) <= 100


def test_help_imports_nothing_that_only_a_command_needs() -> None:
    code = (
        "import sys\nfrom optimove_analysis.cli import main\n"
        "try: main(['fetch', '--help'])\nexcept SystemExit: print('\\n', *sys.modules)"
    )
    command = [sys.executable, "-W", "error", "-c", code]
    run = subprocess.run(command, check=True, capture_output=True, text=True)
    loaded = run.stdout.splitlines()[-1].split()
    for heavy in ("polars", "requests", "keyring", "starlette", "altair", "tqdm", "platformdirs"):
        assert heavy not in loaded
