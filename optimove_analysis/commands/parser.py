"""What the command line understands: commands, options, help; imports nothing heavy."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Final

from optimove_analysis import __version__
from optimove_analysis.commands.archive_parser import archive_command
from optimove_analysis.commands.options import (
    account,
    asking,
    audience,
    days,
    ids_within,
    instance,
    output,
    pseudonym_key,
    talk,
)
from optimove_analysis.commands.words import Parser, age

__all__ = ["parser"]

_KEY: Final = """\
the API key:
  There is no option for it: what stands on a command line can be seen by every user of the machine
  (ps), and shells write it down. It is taken from OPTIMOVE_API_KEY in the environment, else from a
  .env file in the working folder, else from the keyring (see optimove-analysis login --help).
"""
_STATUS: Final = """\
exit status:
  0 fine, 1 an error, 2 wrong usage, 3 finished but some customers failed, 130 interrupted
"""
_IDS: Final = """\
ids:
  CSV (with a header or without), lines of text, Parquet, or - for CSV on standard input. Ids are
  text: leading zeros stay. Of several columns, name one, unless one is called customer_id.
"""
_MAIN: Final = f"""\
examples:
  optimove-analysis demo                     the whole way once, on invented data
  optimove-analysis doctor                   is the key good, the cache writable, the clock right?
  optimove-analysis plan ids.csv --from 2025-01-01 --to 2025-12-31
  optimove-analysis fetch ids.csv --from 2025-01-01 --to 2025-12-31 -o interactions.parquet
  optimove-analysis cache forget 841231 --all
  optimove-analysis archive update years ids.csv --from 2024-01-01 --to 2025-12-31
  optimove-analysis COMMAND --help           more examples

{_KEY}
{_STATUS}"""
_FETCH: Final = f"""\
examples:
  optimove-analysis fetch ids.csv --from 2025-01-01 --to 2025-12-31 -o interactions.parquet
  optimove-analysis fetch segments.csv --id-column CustomerID --from 2025-01-01 --to 2025-12-31 \\
      -o interactions.csv --failures failures.csv
  cut -d, -f1 crm.csv | optimove-analysis fetch - --from 2025-01-01 --to 2025-12-31 \\
      -o interactions.ndjson --instance api5 --quota 50/10 --quota 2000/3600 --quiet --json
  optimove-analysis fetch ids.csv --from 2025-01-01 --to 2025-12-31 -o x.parquet --offline

Every answer is kept as it comes: interrupted or killed, the same command goes on from there. The
output is put in place when it is complete; a run that fails leaves an older one as it was.

{_IDS}
{_KEY}
{_STATUS}"""
_PLAN: Final = f"""\
examples:
  optimove-analysis plan ids.csv --from 2025-01-01 --to 2025-12-31
  optimove-analysis plan ids.parquet --id-column id --from 2025-01-01 --to 2025-12-31 --json

Nothing is sent.

{_IDS}
{_KEY}"""
_CACHE: Final = """\
examples:
  optimove-analysis cache info                     this account's; without a key, all of them
  optimove-analysis cache clear --older-than 90d   or a day: --older-than 2026-01-01
  optimove-analysis cache forget 841231 --all      erases a customer from every account's answers

With --all no key is needed. Without, the account is the one that --instance, --account and the
environment name.
"""
_SNAPSHOT: Final = f"""\
examples:
  optimove-analysis snapshot ids.csv --from 2025-01-01 --to 2025-12-31 -o study.oma --note "Q4"
  optimove-analysis snapshot ids.csv --from 2025-01-01 --to 2025-12-31 -o study.oma \\
      --pseudonymise-key-file key.txt
  python -c "from optimove_analysis.client import *; print(new_pseudonym_key())" > key.txt

Interactions, channels and last data update are fetched, or taken from the cache, and written to one
file; OptimoveClient.replay("study.oma") answers from it with no network and no key. With a key for
pseudonyms, in a file or in OPTIMOVE_PSEUDONYM_KEY, customer ids are replaced by keyed hashes.

{_IDS}
{_KEY}
{_STATUS}"""
_REPORT: Final = f"""\
examples:
  optimove-analysis report --list                  the templates, and their parameters
  optimove-analysis report --customers ids.csv --from 2025-01-01 --to 2025-11-30 --out q4.html
  optimove-analysis report --template customer-dossier --customer 000010 \\
      --from 2025-01-01 --to 2025-11-30 --out one.html --pdf
  optimove-analysis report --template campaign-comparison --compare template_id=1002,1502 \\
      --customers ids.csv --from 2025-01-01 --to 2025-11-30 --out ab.html --pseudonymise
  optimove-analysis report --snapshot q4.oma --out again.html

The answers are fetched, or taken from the cache, and kept in a snapshot beside the report, as
q4.oma; the template, a notebook, runs over that alone, with no key. From the snapshot anybody makes
the report again, with no network, the same in every number: its last lines say by which command. A
template of yours is a notebook with a cell that is tagged parameters: --template mine.ipynb.

{_IDS}
{_KEY}
{_STATUS}"""
_DOCTOR: Final = """\
examples:
  optimove-analysis doctor
  optimove-analysis doctor --offline --json

One request is sent (GetLastDataUpdate), with --offline none.
Exit status: 0 if nothing fails, else 1.
"""
_DASHBOARD: Final = f"""\
examples:
  optimove-analysis dashboard                      on the sandbox: no account is needed
  optimove-analysis dashboard --instance api5 --theme dark

The page is served on this machine alone, to whoever has the address with its token. Needs the
package voila: pip install 'optimove-analysis[dashboard]'

{_KEY}"""
_LOGIN: Final = """\
examples:
  optimove-analysis login --instance api5          asks for the key, tries it, stores it
  optimove-analysis login --instance api5 --no-check < key.txt
  optimove-analysis logout --instance api5         removes it

The key goes to the system's keyring, under the service optimove-analysis with the instance's host
as the user name. OPTIMOVE_API_KEY, in the environment or in a .env file, goes before it. Needs the
package keyring: pip install 'optimove-analysis[keyring]'
"""


def parser() -> Parser:
    """Return the parser of all commands; ``run`` of its options names the module that does it."""
    root = Parser(
        prog="optimove-analysis",
        description="How customers respond to Optimove campaigns, and on which channel.",
        epilog=_MAIN,
    )
    # The short form also makes room: the longest command then stands on one line with its help.
    root.add_argument("-V", "--version", action="version", version=__version__)
    commands = root.add_subparsers(title="commands", required=True, metavar="COMMAND")

    def command(name: str, text: str, more: str = "", run: str = "") -> Parser:
        made = commands.add_parser(
            name, help=text, description=f"{text[0].upper()}{text[1:]}.", epilog=more
        )
        made.set_defaults(run=run or name, parser=made)
        return made

    _audience_commands(command)
    _report_command(command)
    _cache_commands(command)
    archive_command(command)
    _account_commands(command)
    _own_commands(command)
    return root


_Command = Callable[..., Parser]


def _audience_commands(command: _Command) -> None:
    fetch = command("fetch", "fetch the interactions of customers into a file", _FETCH)
    audience(fetch)
    output(fetch, "the file: .parquet, .csv, .ndjson, .jsonl, .arrow or .ipc", "interactions.csv")
    asking(fetch, kept="the cache")
    talk(fetch)
    account(fetch, sends=True)

    plan = command("plan", "say what a fetch would cost", _PLAN)
    audience(plan)
    plan.add_argument("--refresh", action="store_true", help="as for a fetch with --refresh")
    plan.add_argument("--json", action="store_true", help="print one JSON object")
    account(plan, sends=True)

    snapshot = command("snapshot", "write the answers for customers into one file", _SNAPSHOT)
    audience(snapshot)
    output(snapshot, "the file", "study.oma")
    snapshot.add_argument("--note", default="", metavar="TEXT", help="what it is, kept in the file")
    pseudonym_key(snapshot)
    snapshot.add_argument(
        "--overwrite", action="store_true", help="it may take the place of a file that is there"
    )
    talk(snapshot)
    account(snapshot, sends=True)


def _report_command(command: _Command) -> None:
    report = command("report", "write a report of customers, from a template", _REPORT)
    report.add_argument("--out", type=Path, metavar="FILE", help="the report, as report.html")
    report.add_argument(
        "--template",
        default="audience-engagement",
        metavar="NAME",
        help="see --list, or a notebook of yours; default: %(default)s",
    )
    report.add_argument(
        "--list", action="store_true", help="print the templates and their parameters"
    )
    report.add_argument(
        "--customers", dest="ids", metavar="IDS", help="a file of customer ids, or -"
    )
    report.add_argument(
        "--customer", action="append", default=[], metavar="ID", help="one customer; again for more"
    )
    days(report, required=False)
    ids_within(report)
    report.add_argument(
        "--snapshot", type=Path, metavar="FILE", help="report on these answers; nothing is sent"
    )
    report.add_argument(
        "--compare",
        metavar="WHAT",
        help="template_id=1002,1502, or a day: before it, and from it on",
    )
    report.add_argument(
        "--catalogue",
        type=Path,
        metavar="FILE",
        help="what your ids mean, as Catalogue.save wrote it",
    )
    report.add_argument(
        "--set",
        action="append",
        default=[],
        metavar="NAME=VALUE",
        help="a parameter of the template, as window=14 or opens=ignore; again for more",
    )
    report.add_argument(
        "--pseudonymise", action="store_true", help="no customer id in report and snapshot"
    )
    pseudonym_key(report)
    report.add_argument("--pdf", action="store_true", help="also print it, by Chromium")
    report.add_argument("--notebook", action="store_true", help="also keep the notebook as it ran")
    talk(report)
    account(report, sends=True)


def _cache_commands(command: _Command) -> None:
    cache = command("cache", "look at the kept answers, clear them, erase a customer", _CACHE)
    actions = cache.add_subparsers(title="actions", required=True, metavar="COMMAND", dest="action")
    info = actions.add_parser("info", help="how much is kept, of what, since when")
    info.add_argument("--json", action="store_true", help="print one JSON object")
    clear = actions.add_parser("clear", help="remove answers")
    clear.add_argument(
        "--older-than", type=age, metavar="AGE", help="only those older than 90d, 12h, 2026-01-01"
    )
    forget = actions.add_parser("forget", help="erase a customer: no byte stays in the file")
    forget.add_argument("customer_id", metavar="ID", help="the customer's id, zeros included")
    for action in (info, clear, forget):
        action.epilog = _CACHE
        action.set_defaults(parser=action)
        action.add_argument(
            "--all", action="store_true", help="every account in the folder; no key is needed"
        )
        account(action)
    for action in (clear, forget):
        action.add_argument("--yes", action="store_true", help="do not ask")


def _account_commands(command: _Command) -> None:
    doctor = command("doctor", "check versions, key, cache, locks, clock and quota", _DOCTOR)
    doctor.add_argument("--offline", action="store_true", help="send nothing")
    doctor.add_argument("--json", action="store_true", help="print one JSON object")
    account(doctor)
    login = command("login", "store the API key in the system's keyring", _LOGIN)
    login.add_argument("--no-check", action="store_true", help="store it without trying it")
    logout = command("logout", "remove the API key from the keyring", _LOGIN, run="login")
    for each, leaves in ((login, False), (logout, True)):
        each.set_defaults(leaves=leaves)
        instance(each)


def _own_commands(command: _Command) -> None:
    demo = command("demo", "fetch an audience from the sandbox, write a report", run="own")
    demo.add_argument(
        "--out",
        type=Path,
        default=Path("optimove-report.html"),
        metavar="FILE",
        help="the report; default: %(default)s",
    )
    demo.add_argument("--customers", type=int, default=140, metavar="N", help="default: 140")
    demo.set_defaults(action="demo")
    page = command("dashboard", "serve a page for the investigation of a customer", _DASHBOARD)
    instance(page)
    page.add_argument("--port", type=int, default=8866, help="default: %(default)s")
    page.add_argument("--theme", choices=["light", "dark"], default="light")
    page.add_argument("--no-browser", action="store_true", help="print the address, open nothing")
    sandbox = command("sandbox", "serve the invented account on 127.0.0.1", run="own")
    sandbox.add_argument("--port", type=int, default=8080, help="0 takes a free one; default: 8080")
    sandbox.add_argument("--seed", type=int, default=7, help="another seed, another world")
    sandbox.add_argument(
        "--customers", type=int, default=5_000, metavar="N", help="default: %(default)s"
    )
    sandbox.add_argument(
        "--engagement-metrics", action="store_true", help="answer in the newer response format"
    )
    sandbox.add_argument(
        "--quota", type=int, default=50, metavar="N", help="requests in 10 s; default: %(default)s"
    )
    sandbox.add_argument("--json", action="store_true", help="announce address and key as JSON")
    sandbox.add_argument(
        "--until-stdin-closes", action="store_true", help="end with the process that started it"
    )
    sandbox.set_defaults(action="sandbox")
    dictionary = command("dictionary", "print the data dictionary, as Markdown", run="own")
    dictionary.add_argument("path", nargs="?", type=Path, help="where to; default: print it")
    dictionary.add_argument("--check", action="store_true", help="fail if the file differs")
    dictionary.set_defaults(action="dictionary")
    samples = command("samples", "write sample answers, a Parquet file and pictures", run="own")
    samples.add_argument("folder", type=Path)
    samples.set_defaults(action="samples")
    notebooks = command("notebooks", "run notebooks, and write what they show into them")
    notebooks.add_argument("paths", nargs="+", type=Path, metavar="NOTEBOOK")
    notebooks.add_argument("--check", action="store_true", help="fail if what is kept is stale")
