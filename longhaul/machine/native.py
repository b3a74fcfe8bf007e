"""This kernel as the machine: root, in network, mount and process namespaces of the run's own.

Whatever becomes of us, the kernel ends all that runs in them, and takes the interfaces along: no
`mn -c`, and nothing of another Mininet's is touched. The guest does the same on its own kernel.
"""

from __future__ import annotations

import gzip
import os
import platform
import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from longhaul.machine.init import ENVIRONMENT, ROOT

NATIVE_MODULES = {"CONFIG_NET_SCH_NETEM": "sch_netem", "CONFIG_OPENVSWITCH": "openvswitch"}


def obstacle() -> str | None:
    """Why this kernel cannot carry a fabric; None where it can."""
    return why_not(kernel_features(), is_root=os.geteuid() == 0)


def why_not(features: set[str], is_root: bool) -> str | None:
    """Why a kernel with these of the modules cannot carry a fabric; None where it can."""
    if absent := lacking(features):
        return f"{platform.release()} lacks {' and '.join(absent)}: no native runs"
    return None if is_root else "has netem and openvswitch; native runs need root"


def lacking(features: set[str]) -> list[str]:
    """The modules that native runs need and this kernel has not."""
    return sorted(set(NATIVE_MODULES.values()) - features)


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


def kernel_features() -> set[str]:
    """Those of the modules that native runs need which this kernel has, loaded or loadable."""
    config = kernel_config()
    modules = installed_modules()
    return {
        module
        for option, module in NATIVE_MODULES.items()
        if f"{option}=y" in config or module in modules or Path(f"/sys/module/{module}").exists()
    }


def kernel_config() -> set[str]:
    """The lines of the running kernel's configuration, where it shows it."""
    shown = Path("/proc/config.gz")
    if shown.exists():
        return set(gzip.decompress(shown.read_bytes()).decode().splitlines())
    return set(read(Path(f"/boot/config-{platform.release()}")).splitlines())


def installed_modules() -> set[str]:
    """The names of the running kernel's modules on disk, built-in ones included."""
    folder = Path("/lib/modules") / platform.release()
    lists = read(folder / "modules.dep") + read(folder / "modules.builtin")
    return set(re.findall(r"([^/\s]+)\.ko(?:\.\w+)?(?::|$)", lists, re.M))


def read(file: Path) -> str:
    """The text of a file; nothing where it cannot be read."""
    try:
        return file.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""
