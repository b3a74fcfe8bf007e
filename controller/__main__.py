"""python -m controller [FILE FOLDER]: serve an application (default: our own) on port 6653. What the file
imports is also looked for in FOLDER."""

from __future__ import annotations

import logging
import os
import sys
from pathlib import Path

from controller.application import ApplicationError, load
from controller.base import serve

OURS = "controller.routed"
PORT = 6653


def main(words: list[str]) -> None:
    """Serve until killed. What is wrong with a file goes to standard error, with its traceback."""
    logging.basicConfig(level=logging.INFO, format="%(name)s: %(message)s")
    try:
        application = load(Path(words[0]), Path(words[1])) if words else OURS
    except ApplicationError as error:
        sys.exit(str(error))
    serve([application], PORT)
    os._exit(1)  # it never ends by itself: an application could not be made


if __name__ == "__main__":
    main(sys.argv[1:])
