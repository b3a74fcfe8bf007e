"""Where things are in a bundle, if this code runs from one: `bundling` makes them.

    longhaul           starts it: a few lines of sh
    kernel-…/          the virtual-time kernel; its loader is asked for as an open file, wherever the folder is
    root/              Debian's packages (sources.json names their sources); opt/longhaul is longhaul itself
    topologies/

Standard library only.
"""

from __future__ import annotations

import sys
from pathlib import Path

CODE = Path("opt/longhaul/code")
LOADER = 200
LOADER_PATH = f"/proc/self/fd/{LOADER}"
"""What the kernel's program names as its loader: ELF wants a whole path there, and a bundle has none."""
HERE = Path(__file__).resolve().parents[2]
OURS = ("scenario", "longhaul", "controller", "traffic", "analysis")
"""Our own packages, which a guest needs."""
MARK = "bundle.txt"


def home() -> Path | None:
    """The bundle that this code is in, if it is in one."""
    above = list(HERE.parents)[len(CODE.parts) : len(CODE.parts) + 1]
    return next((folder for folder in above if (folder / MARK).exists()), None)


def root() -> Path | None:
    """The bundle's root file system."""
    found = home()
    return found / "root" if found else None


def kernel() -> Path | None:
    """The folder of the bundle's kernel."""
    found = home()
    return next(found.glob("kernel-*"), None) if found else None


def again() -> list[str]:
    """The command that is longhaul once more, whatever there is in the folder where it is started."""
    return [*own_python(), "-P", "-m", "longhaul"]


def own_python() -> list[str]:
    """How to start the Python that this is."""
    found = root()
    return python(found) if found else [sys.executable]


def python(root: Path) -> list[str]:
    """How to start the Python of a root file system on a machine that may have no loader for it."""
    libraries = root / "usr/lib/x86_64-linux-gnu"
    loader = libraries / "ld-linux-x86-64.so.2"
    return [str(loader), "--library-path", str(libraries), str(root / "usr/bin/python3")]
