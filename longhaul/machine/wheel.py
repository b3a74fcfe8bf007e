"""The bundle as a Python package: `pip install longhaul-*.whl` gives the command, with kernel and root inside.

    python3 -m longhaul.machine.wheel BUNDLE.tar.gz FOLDER

All that the wheel installs to import is `longhaul_bundle`, a few lines that unpack the bundle into the user's cache
once and start it there, with the bundle's own Python. So it clashes with nothing in a user's site-packages, and
any Python from 3.8 on will do.
"""

from __future__ import annotations

import base64
import hashlib
import sys
import zipfile
from pathlib import Path

from longhaul import __version__

_STARTER = '''\
"""longhaul as one bundle: unpacked into the user's cache at the first start, and started there."""

import os
import shutil
import sys
import tarfile
import tempfile
from pathlib import Path

DIGEST = "{digest}"
NAME = "{name}"


def main():
    """Become the bundle's longhaul."""
    cache = os.environ.get("XDG_CACHE_HOME", "")
    cache = (Path(cache) if cache.startswith("/") else Path.home() / ".cache") / "longhaul"
    home = cache / ("bundle-" + DIGEST)
    if not home.exists():
        unpack(home)
    launcher = str(home / NAME / "longhaul")
    os.execv(launcher, [launcher, *sys.argv[1:]])


def unpack(home):
    """Have the bundle at `home`, whole or not at all."""
    print("Unpacking longhaul into %s, once" % home, file=sys.stderr)
    home.parent.mkdir(parents=True, exist_ok=True)
    partial = Path(tempfile.mkdtemp(prefix="bundle-", dir=home.parent))
    try:
        with tarfile.open(Path(__file__).with_name("bundle.tar.gz")) as archive:
            archive.extractall(partial)
        try:
            partial.rename(home)
        except OSError:  # another one was quicker
            if not home.exists():
                raise
    finally:
        shutil.rmtree(partial, ignore_errors=True)
'''
_METADATA = """\
Metadata-Version: 2.1
Name: longhaul
Version: {version}
Summary: What happens to synchronous training when one cluster is three campuses joined by long, aging links
License: Apache-2.0
Requires-Python: >=3.8
"""
_WHEEL = """\
Wheel-Version: 1.0
Generator: longhaul
Root-Is-Purelib: true
Tag: py3-none-manylinux2014_x86_64
Tag: py3-none-linux_x86_64
"""
_ENTRY = "[console_scripts]\nlonghaul = longhaul_bundle:main\n"


def make(archive: Path, folder: Path) -> Path:
    """Make the wheel of a bundle's archive in a folder; returns its path."""
    info = f"longhaul-{__version__}.dist-info"
    bundle = archive.read_bytes()
    name = archive.name.removesuffix(".tar.gz")
    starter = _STARTER.format(digest=hashlib.sha256(bundle).hexdigest()[:12], name=name)
    files = {
        "longhaul_bundle/__init__.py": starter.encode(),
        "longhaul_bundle/bundle.tar.gz": bundle,
        f"{info}/METADATA": _METADATA.format(version=__version__).encode(),
        f"{info}/WHEEL": _WHEEL.encode(),
        f"{info}/entry_points.txt": _ENTRY.encode(),
    }
    rows = [f"{path},sha256={_digest(data)},{len(data)}" for path, data in files.items()]
    files[f"{info}/RECORD"] = "\n".join([*rows, f"{info}/RECORD,,", ""]).encode()
    made = folder / f"longhaul-{__version__}-py3-none-manylinux2014_x86_64.linux_x86_64.whl"
    with zipfile.ZipFile(made, "w", zipfile.ZIP_STORED) as wheel:
        for path, data in files.items():
            wheel.writestr(path, data)
    return made


def _digest(data: bytes) -> str:
    """As a wheel's RECORD has it. [PEP 427]"""
    return base64.urlsafe_b64encode(hashlib.sha256(data).digest()).decode().rstrip("=")


if __name__ == "__main__":
    print(make(Path(sys.argv[1]), Path(sys.argv[2])))
