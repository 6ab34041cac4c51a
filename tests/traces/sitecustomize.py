"""Notes, in every Python process that finds this, what it writes and with whom it speaks."""

from __future__ import annotations

import json
import os
import sys

_WRITES = os.O_WRONLY | os.O_RDWR | os.O_CREAT
_CHANGES = {"os.mkdir", "os.rename", "os.remove", "os.symlink", "os.link", "sqlite3.connect"}
_NAMES = {"socket.getaddrinfo", "socket.gethostbyname", "socket.gethostbyaddr"}


def _take_notes(log: int) -> None:
    def note(event: str, args: tuple[object, ...]) -> None:
        if event == "open":
            path, _, flags = args
            if not isinstance(flags, int) or not flags & _WRITES or isinstance(path, int):
                return
        elif event == "socket.connect":
            args = args[1:]
        elif event not in _CHANGES | _NAMES:
            return
        said = os.fsdecode(args[0]) if isinstance(args[0], bytes) else str(args[0])
        os.write(log, json.dumps([event, said]).encode() + b"\n")

    sys.addaudithook(note)


if "TRACES_LOG" in os.environ:
    _take_notes(os.open(os.environ["TRACES_LOG"], os.O_WRONLY | os.O_APPEND | os.O_CREAT))
