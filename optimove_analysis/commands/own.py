"""The package's own: the demo, the sandbox, the data dictionary and the samples."""

from __future__ import annotations

import argparse
import json
import sys
import threading

from optimove_analysis.sandbox import Sandbox, samples, sandbox, serve_forever

__all__ = ["run"]


def run(options: argparse.Namespace) -> int:
    """Do what ``action`` names."""
    actions = {"demo": _demo, "sandbox": _sandbox, "dictionary": _dictionary, "samples": _samples}
    return actions[options.action](options)


# What a sandbox does not need is imported where it is wanted: others wait for one to start.


def _demo(options: argparse.Namespace) -> int:
    from optimove_analysis.demo import demo  # noqa: PLC0415 - see above

    demo(options.out, customers=options.customers)
    return 0


def _sandbox(options: argparse.Namespace) -> int:
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
            print(f"A sandbox of {options.customers:,} invented customers. Ctrl-C ends it.")
            # As lines for a .env file; the key opens nothing but this sandbox.
            print(f"OPTIMOVE_INSTANCE={box.url}\nOPTIMOVE_API_KEY={box.api_key}", flush=True)

    if options.until_stdin_closes:
        # A parent that is killed closes the pipe, whatever the system.
        threading.Thread(target=_stop_with_stdin, args=(box,), daemon=True).start()
    serve_forever(box, announce)
    return 0


def _stop_with_stdin(box: Sandbox) -> None:
    sys.stdin.buffer.read()
    box.stop()


def _dictionary(options: argparse.Namespace) -> int:
    from optimove_analysis.schema.dictionary import dictionary  # noqa: PLC0415 - see above

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


def _samples(options: argparse.Namespace) -> int:
    from optimove_analysis.demo import write_data  # noqa: PLC0415 - see above

    samples.write(options.folder / "samples")
    write_data(options.folder)
    return 0
