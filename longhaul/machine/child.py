"""Child processes that never outlive the one that started them, not even after `kill -9`.

Standard library only.
"""

from __future__ import annotations

import subprocess
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import IO


@contextmanager
def child(
    command: Sequence[str],
    *,
    stdout: int | IO[str],
    cwd: Path | None = None,
    env: Mapping[str, str] | None = None,
    pass_fds: Sequence[int] = (),
) -> Iterator[subprocess.Popen[str]]:
    """Start a command with errors going where its output goes; wait for it on leaving.

    Whatever ends the block early (Ctrl-C, an error) ends the command first.
    """
    process = subprocess.Popen(
        ["setpriv", "--pdeathsig", "TERM", "--", *command],
        cwd=cwd,
        env=env,
        stdin=subprocess.DEVNULL,
        stdout=stdout,
        stderr=subprocess.STDOUT,
        pass_fds=pass_fds,
        text=True,
        errors="replace",
    )
    try:
        yield process
    except BaseException:
        process.terminate()
        raise
    finally:
        process.wait()
