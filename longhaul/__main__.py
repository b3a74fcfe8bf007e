"""`longhaul` and `python -m longhaul`: the command line, in a process of its own.

Ctrl-C ends it quietly at any moment, with status 130. While modules are imported it ends at once: there is nothing to
put away yet, and an import that is interrupted may fail in ways of its own (pydantic turns it into a SchemaError).
"""

from __future__ import annotations

import os
import signal
import sys
from types import FrameType

INTERRUPTED, GONE = 130, 141
_IMPORTING = "<frozen importlib._bootstrap>"


def main() -> int:
    """Carry out this process's command line; returns the exit status."""
    signal.signal(signal.SIGINT, _interrupted)
    try:
        signal.pthread_sigmask(
            signal.SIG_UNBLOCK, {signal.SIGINT}
        )  # setup.sh has the command start with it blocked
        return _carried_out()
    except KeyboardInterrupt:
        return INTERRUPTED
    finally:
        signal.signal(signal.SIGINT, signal.SIG_IGN)  # all is done; Python only tidies up


def _carried_out() -> int:
    from longhaul import cli
    from longhaul.verbs import streams

    try:
        with streams.guarded():
            return cli.main()
    except BrokenPipeError:
        streams.give_up()
        return GONE
    except streams.CannotPrint as error:
        streams.give_up()
        print(f"longhaul: {error}", file=sys.stderr)
        return error.exit_status


def _interrupted(number: int, frame: FrameType | None) -> None:
    """As Python's own handler, but for an import under way."""
    outer = frame
    while outer:
        if outer.f_code.co_filename == _IMPORTING:
            os._exit(INTERRUPTED)
        outer = outer.f_back
    signal.default_int_handler(number, frame)


if __name__ == "__main__":
    sys.exit(main())
