"""This kernel as the machine: root, in network, mount and process namespaces of the run's own.

Whatever becomes of us, the kernel ends all that runs in them, and takes the interfaces along: no
`mn -c`, and nothing of another Mininet's is touched. The guest does the same on its own kernel.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from longhaul.machine.doctor import kernel_features, native_check
from longhaul.machine.init import ENVIRONMENT, ROOT


def obstacle() -> str | None:
    """Why this kernel cannot carry a fabric; None where it can."""
    found = native_check(kernel_features(), is_root=os.geteuid() == 0)
    return None if found.ok else found.detail


@contextmanager
def started(
    folder: Path, console: int | None, keyboard: int | None
) -> Iterator[subprocess.Popen[bytes]]:
    """Run the job of `folder` in new namespaces; on leaving, nothing of it is left."""
    command = [
        "unshare", "--net", "--mount", "--ipc", "--pid", "--fork", "--kill-child",
        sys.executable, "-S", "-m", "longhaul.machine.init", str(folder),
    ]  # fmt: skip
    environment = ENVIRONMENT | {"PYTHONPATH": str(ROOT), "TERM": os.environ.get("TERM", "linux")}
    process = subprocess.Popen(
        command, stdin=keyboard, stdout=console, stderr=console, env=environment
    )
    try:
        yield process
    finally:
        if process.poll() is None:
            process.kill()
        process.wait()
