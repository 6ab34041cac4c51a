"""What all tests rest on."""

from __future__ import annotations

import signal

# A shell starts what stands before an & with Ctrl-C ignored, and so do some CI systems; processes
# inherit that. The tests of Ctrl-C would wait for ever.
signal.signal(signal.SIGINT, signal.default_int_handler)
