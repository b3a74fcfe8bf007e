"""One folder to hand out: longhaul with its kernel and a root file system, for machines that have neither.

    python3 -m longhaul.machine.bundling FOLDER      make longhaul-<version>-linux-x86_64.tar.gz there

What is where in it, `bundle` says.
"""

from __future__ import annotations

import shutil
import sys
import tarfile
from pathlib import Path

from longhaul import __version__
from longhaul.machine import userland
from longhaul.machine.bundle import CODE, HERE, LOADER_PATH, MARK, OURS
from longhaul.machine.kernel import ensure_kernel

_SYSTEMS_LOADER = b"/lib64/ld-linux-x86-64.so.2\0"

LAUNCHER = """\
#!/bin/sh
# longhaul, with all that it needs beside it.
here=${0%/*}
[ "$here" != "$0" ] || here=$(dirname "$(command -v "$0")")
here=$(cd "$here" && pwd -P) || exit 1
root=$here/root
PYTHONHOME=$root/usr PYTHONPATH=$root/opt/longhaul/code:$root/opt/longhaul/site PYTHONNOUSERSITE=1
PYTHONDONTWRITEBYTECODE=1 SSL_CERT_DIR=/etc/ssl/certs
export PYTHONHOME PYTHONPATH PYTHONNOUSERSITE PYTHONDONTWRITEBYTECODE SSL_CERT_DIR
libraries=$root/usr/lib/x86_64-linux-gnu
loader=$libraries/ld-linux-x86-64.so.2
# Ctrl-C waits until Python is ready for it.
exec "$loader" --library-path "$libraries" "$root/usr/bin/env" --block-signal=INT \\
    "$loader" --library-path "$libraries" "$root/usr/bin/python3" -m longhaul "$@"
"""
NOTICE = """\
longhaul is Apache-2.0. The kernel in kernel-*/ is Linux, GPL-2.0: built from Debian's source package that
kernel-*/built.json names, with the patches and the configuration in root/opt/longhaul/code/longhaul/machine/.
root/ is made of Debian's packages: root/usr/share/doc/*/copyright has the licence of each, root/sources.json
the source package and version of each, which https://snapshot.debian.org keeps. The Python packages are in
root/opt/longhaul/site, each with its licence in its .dist-info; their sources are on https://pypi.org.
"""


def make(folder: Path) -> Path:
    """Put a bundle together in a folder; returns its archive. Raises LonghaulError."""
    name = f"longhaul-{__version__}-linux-x86_64"
    made = folder / name
    shutil.rmtree(made, ignore_errors=True)
    shutil.copytree(userland.ensure(), made / "root", symlinks=True)
    ignored = shutil.ignore_patterns("__pycache__")
    for part in OURS:
        shutil.copytree(HERE / part, made / "root" / CODE / part, ignore=ignored)
    not_for_students = shutil.ignore_patterns("__pycache__", "solutions", "setups")
    shutil.copytree(HERE / "labs", made / "root" / CODE / "labs", ignore=not_for_students)
    userland.compile_python(made / "root", CODE)
    shutil.copytree(HERE / "topologies", made / "topologies")
    built = ensure_kernel()
    shutil.copytree(built, made / built.name)
    ask_for_open_loader(made / built.name / "linux")
    (made / MARK).write_text(NOTICE)
    shutil.copy(HERE / "LICENSE", made)
    (made / "longhaul").write_text(LAUNCHER)
    (made / "longhaul").chmod(0o755)
    archive = folder / f"{name}.tar.gz"
    with tarfile.open(archive, "w:gz", compresslevel=6) as tar:
        tar.add(made, arcname=name)
    return archive


def ask_for_open_loader(program: Path) -> None:
    """Have a program name LOADER_PATH as its loader."""
    code = program.read_bytes()
    assert code.count(_SYSTEMS_LOADER) == 1, "one PT_INTERP"
    wanted = LOADER_PATH.encode().ljust(len(_SYSTEMS_LOADER), b"\0")
    program.write_bytes(code.replace(_SYSTEMS_LOADER, wanted))


if __name__ == "__main__":
    print(make(Path(sys.argv[1])))
