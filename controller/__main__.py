"""python -m controller [APPLICATION]: serve an application (default: our own) on port 6653."""

from __future__ import annotations

import logging
import sys

from controller.base import serve

logging.basicConfig(level=logging.INFO, format="%(name)s: %(message)s")
serve([sys.argv[1] if len(sys.argv) > 1 else "controller.routed"], 6653)
