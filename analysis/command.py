"""The frame of `python -m analysis.X RUN`: one argument, and errors that say what to mend."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from analysis.tables import RunError


@contextmanager
def run_folder(description: str) -> Iterator[Path]:
    """The run folder named on the command line; a `RunError` becomes one line and exit code 2."""
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("run", type=Path, help="a run folder, such as runs/colossus")
    try:
        yield parser.parse_args().run
    except RunError as error:
        sys.exit(_complain(error))


def _complain(error: RunError) -> int:
    print(error, file=sys.stderr)
    return 2
