"""The command line: with the notebooks, the only place where all rooms meet."""

from __future__ import annotations

import argparse
import json
import sys
import threading
from collections.abc import Sequence
from pathlib import Path

from optimove_analysis import __version__
from optimove_analysis.errors import OptimoveAnalysisError

__all__ = ["main"]

_EXAMPLES = """\
examples:
  optimove-analysis demo                     the whole way once, on invented data
  optimove-analysis sandbox --port 8080      the API on this machine, for your own experiments
  optimove-analysis sandbox --engagement-metrics --customers 1000000
"""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command; return its exit status: 0, 1 for an error of ours, 2 for wrong usage."""
    options = _parser().parse_args(arguments)
    try:
        return int(options.run(options) or 0)
    except OptimoveAnalysisError as error:
        print(f"optimove-analysis: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("\nstopped; what was fetched is kept: the same command goes on.", file=sys.stderr)
        return 130


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="optimove-analysis",
        description="How customers respond to Optimove campaigns, and on which channel.",
        epilog=_EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--version", action="version", version=__version__)
    commands = parser.add_subparsers(title="commands", required=True, metavar="COMMAND")

    demo = commands.add_parser("demo", help="fetch an audience from the sandbox, write a report")
    demo.add_argument("--out", type=Path, default=Path("optimove-report.html"), metavar="FILE")
    demo.add_argument("--customers", type=int, default=140, metavar="N", help="default: 140")
    demo.set_defaults(run=_demo)

    sandbox = commands.add_parser("sandbox", help="serve the invented account on 127.0.0.1")
    sandbox.add_argument("--port", type=int, default=8080, help="0 takes a free one; default: 8080")
    sandbox.add_argument("--seed", type=int, default=7, help="another seed, another world")
    sandbox.add_argument("--customers", type=int, default=5_000, metavar="N")
    sandbox.add_argument(
        "--engagement-metrics", action="store_true", help="answer in the newer response format"
    )
    sandbox.add_argument("--quota", type=int, default=50, metavar="N", help="requests in 10 s")
    sandbox.add_argument("--json", action="store_true", help="announce address and key as JSON")
    sandbox.add_argument(
        "--until-stdin-closes", action="store_true", help="end with the process that started it"
    )
    sandbox.set_defaults(run=_sandbox)

    dictionary = commands.add_parser("dictionary", help="the data dictionary, as Markdown")
    dictionary.add_argument("path", nargs="?", type=Path, help="where to; default: print it")
    dictionary.add_argument("--check", action="store_true", help="fail if the file differs")
    dictionary.set_defaults(run=_dictionary)

    samples = commands.add_parser(
        "samples", help="write sample answers, a Parquet file and pictures"
    )
    samples.add_argument("folder", type=Path)
    samples.set_defaults(run=_samples)
    return parser


# Each command imports what it needs: --help and a wrong word are answered at once.


def _demo(options: argparse.Namespace) -> None:
    from optimove_analysis.demo import demo  # noqa: PLC0415 - see above

    demo(options.out, customers=options.customers)


def _sandbox(options: argparse.Namespace) -> None:
    from optimove_analysis.sandbox import Sandbox, sandbox, serve_forever  # noqa: PLC0415

    box = sandbox(
        options.port,
        seed=options.seed,
        customers=options.customers,
        engagement_metrics=options.engagement_metrics,
        quota=options.quota,
    )

    def announce(box: Sandbox) -> None:
        if options.json:
            print(json.dumps({"url": box.url, "api_key": box.api_key}), flush=True)
        else:
            print(f"{box!r}\nOPTIMOVE_INSTANCE={box.url}\nOPTIMOVE_API_KEY={box.api_key}")
            print("Ctrl-C ends it.", flush=True)

    if options.until_stdin_closes:
        # A parent that is killed closes the pipe, whatever the system.
        threading.Thread(target=_stop_with_stdin, args=(box,), daemon=True).start()
    serve_forever(box, announce)


def _stop_with_stdin(box: object) -> None:
    sys.stdin.buffer.read()
    box.stop()  # type: ignore[attr-defined] # a Sandbox, whose room is not imported for --help


def _dictionary(options: argparse.Namespace) -> int:
    from optimove_analysis.schema.dictionary import dictionary  # noqa: PLC0415

    text = dictionary()
    if options.path is None:
        print(text)
    elif options.check:
        if not options.path.exists() or options.path.read_text(encoding="utf-8") != text:
            print(f"{options.path} is not what the schema says: make dictionary", file=sys.stderr)
            return 1
    else:
        options.path.write_text(text, encoding="utf-8")
    return 0


def _samples(options: argparse.Namespace) -> None:
    from optimove_analysis.demo import write_data  # noqa: PLC0415
    from optimove_analysis.sandbox import samples  # noqa: PLC0415

    samples.write(options.folder / "samples")
    write_data(options.folder)
