"""The bundle as a Python package: `pip install longhaul-*.whl` gives the command.

    python3 -m longhaul.machine.wheel BUNDLE.tar.gz FOLDER       kernel and root inside, and a wheel of a few
                                                                 kilobytes that fetches them from where the user says

All that a wheel installs to import is `longhaul_bundle`, a few lines that unpack the bundle into the user's cache
once and start it there, with the bundle's own Python. So it clashes with nothing in a user's site-packages, and
any Python from 3.8 on will do. Either wheel takes the archive that it was made from, by its digest, and no other.
"""

from __future__ import annotations

import base64
import hashlib
import sys
import zipfile
from pathlib import Path

from longhaul import __version__

PLACE = "LONGHAUL_BUNDLE"
"""Environment variable: a path or URL that the wheel without contents fetches the bundle's archive from."""
_STARTER = '''\
"""longhaul as one bundle: unpacked into the user's cache at the first start, and started there."""

import hashlib
import os
import shutil
import sys
import tarfile
import tempfile
from pathlib import Path
from urllib.request import urlopen

DIGEST = "{digest}"
NAME = "{name}"
PLACE = "{place}"


def main():
    """Become the bundle's longhaul."""
    cache = os.environ.get("XDG_CACHE_HOME", "")
    cache = (Path(cache) if cache.startswith("/") else Path.home() / ".cache") / "longhaul"
    home = cache / ("bundle-" + DIGEST[:12])
    if not home.exists():
        try:
            unpack(home)
        except (OSError, ValueError, tarfile.TarError) as error:
            sys.exit("longhaul: %s" % error)
    launcher = str(home / NAME / "longhaul")
    os.execv(launcher, [launcher, *sys.argv[1:]])


def unpack(home):
    """Have the bundle at `home`, whole or not at all."""
    home.parent.mkdir(parents=True, exist_ok=True)
    partial = Path(tempfile.mkdtemp(prefix="bundle-", dir=home.parent))
    try:
        archive = Path(__file__).with_name("bundle.tar.gz")
        if not archive.exists():
            archive = partial / "bundle.tar.gz"
            fetch(archive)
        print("Unpacking longhaul into %s, once" % home, file=sys.stderr)
        trusted = dict(filter="fully_trusted") if hasattr(tarfile, "data_filter") else dict()
        with tarfile.open(archive) as packed:
            packed.extractall(partial / "made", **trusted)
        try:
            (partial / "made").rename(home)
        except OSError:  # another one was quicker
            if not home.exists():
                raise
    finally:
        shutil.rmtree(partial, ignore_errors=True)


def fetch(archive):
    """Have the archive that this was made with, from where the user says."""
    place = os.environ.get(PLACE)
    if not place:
        raise ValueError(
            "this package has no kernel and no root file system inside. Say where %s.tar.gz is, "
            "a path or a URL: %s=https://… longhaul …" % (NAME, PLACE)
        )
    url = place if "://" in place else Path(place).absolute().as_uri()
    print("Fetching %s" % url, file=sys.stderr)
    found = hashlib.sha256()
    with urlopen(url, timeout=60) as source, archive.open("wb") as copy:
        for block in iter(lambda: source.read(1 << 20), b""):
            found.update(block)
            copy.write(block)
    if found.hexdigest() != DIGEST:
        raise ValueError(
            "%s is not the archive that this package was made with: its SHA-256 is %s, not %s"
            % (url, found.hexdigest(), DIGEST)
        )
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
_TAGS = "py3-none-manylinux2014_x86_64.linux_x86_64"


def make(archive: Path, folder: Path) -> Path:
    """Make the wheel of a bundle's archive in a folder; returns its path."""
    contents = {"longhaul_bundle/bundle.tar.gz": archive.read_bytes()}
    return _written(folder / f"longhaul-{__version__}-{_TAGS}.whl", _starter(archive), contents)


def make_fetching(archive: Path, folder: Path) -> Path:
    """Make the wheel that fetches this archive when it is first called; it has a build number of its own."""
    return _written(folder / f"longhaul-{__version__}-0fetching-{_TAGS}.whl", _starter(archive), {})


def _starter(archive: Path) -> str:
    with archive.open("rb") as stream:
        digest = hashlib.file_digest(stream, "sha256").hexdigest()
    return _STARTER.format(digest=digest, name=archive.name.removesuffix(".tar.gz"), place=PLACE)


def _written(made: Path, starter: str, contents: dict[str, bytes]) -> Path:
    info = f"longhaul-{__version__}.dist-info"
    files = {
        "longhaul_bundle/__init__.py": starter.encode(),
        **contents,
        f"{info}/METADATA": _METADATA.format(version=__version__).encode(),
        f"{info}/WHEEL": _WHEEL.encode(),
        f"{info}/entry_points.txt": _ENTRY.encode(),
    }
    rows = [f"{path},sha256={_digest(data)},{len(data)}" for path, data in files.items()]
    files[f"{info}/RECORD"] = "\n".join([*rows, f"{info}/RECORD,,", ""]).encode()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_STORED) as wheel:
        for path, data in files.items():
            wheel.writestr(path, data)
    return made


def _digest(data: bytes) -> str:
    """As a wheel's RECORD has it. [PEP 427]"""
    return base64.urlsafe_b64encode(hashlib.sha256(data).digest()).decode().rstrip("=")


if __name__ == "__main__":
    for one in (make, make_fetching):
        print(one(Path(sys.argv[1]), Path(sys.argv[2])))
