"""``python -m optimove_analysis`` is the command line."""

from __future__ import annotations

import sys

from optimove_analysis.cli import main

if __name__ == "__main__":
    sys.exit(main())
