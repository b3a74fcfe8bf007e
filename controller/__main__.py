"""python -m controller [--rest | FILE FOLDER]: serve our own application, with the northbound API or without,
or one from a file, on port 6653. What the file imports is also looked for in FOLDER."""

from __future__ import annotations

import logging
import os
import sys
from pathlib import Path

from controller.application import ApplicationError, load
from controller.base import serve

OURS = "controller.routed"
NORTHBOUND = "controller.northbound"
REST = "--rest"
PORT = 6653


def main(words: list[str]) -> None:
    """Serve until killed. What is wrong with a file goes to standard error, with its traceback."""
    logging.basicConfig(level=logging.INFO, format="%(name)s: %(message)s")
    try:
        serve(_applications(words), PORT)
    except (ApplicationError, OSError) as error:
        sys.exit(str(error))
    os._exit(1)  # it never ends by itself: an application could not be made


def _applications(words: list[str]) -> list[str]:
    """What to serve. The northbound API comes first: its port may be taken."""
    if not words:
        return [OURS]
    return [NORTHBOUND, OURS] if words == [REST] else [load(Path(words[0]), Path(words[1]))]


if __name__ == "__main__":
    main(sys.argv[1:])
