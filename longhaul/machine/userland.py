"""A root file system of the guest's own, so that what runs inside is the same on every distribution.

    python3 -m longhaul.machine.userland      make it if need be, and print the folder that holds it

Debian's packages, their signatures checked by apt, and the Python packages of requirements.lock, their digests
checked by pip; unpacked and put together without root. No package's script is run: what those would have done
that a fabric needs is in `finish`. Only who makes one needs apt-get, dpkg-deb and pip.
"""

from __future__ import annotations

import hashlib
import json
import re
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Iterable, Sequence
from contextlib import suppress
from importlib import metadata
from importlib.util import find_spec
from pathlib import Path

from longhaul.machine import bundle, kernel
from longhaul.machine.debian import PUBLIC_MIRROR, Origin, apt_get, mirrors_here, prepare
from longhaul.machine.init import ENVIRONMENT
from longhaul.machine.progress import Progress
from scenario.errors import LonghaulError

BUILDER = 2  # raise it when the result changes though nothing below does
SUITE = "trixie"
PYTHON = "3.13"  # as SUITE has it
PACKAGES = (
    "base-files base-passwd bash coreutils dash diffutils ethtool findutils gawk grep gzip hostname "
    "ibverbs-providers iperf iperf3 iproute2 iputils-ping less libibverbs1 mininet mount net-tools "
    "netbase netcat-openbsd openvswitch-switch procps psmisc python3 sed socat tar tcpdump telnet util-linux"
).split()
NEEDED = ("ip", "mnexec", "ovs-vsctl", "ovs-vswitchd", "ovsdb-server", "ping")
"""Programs that a fabric is made with, whatever root it has."""
TYPED = ("bash", "ip", "ping")
"""Programs that whoever has a shell on a host will look for."""
LINKS = {
    "usr/bin/awk": "gawk",
    "usr/bin/which": "which.debianutils",
    "usr/bin/telnet": "inetutils-telnet",
    "usr/bin/nc": "nc.openbsd",
    "usr/bin/pager": "less",
    "usr/sbin/ovs-vswitchd": "../lib/openvswitch-switch/ovs-vswitchd",
}
"""What update-alternatives would have set."""
UNNEEDED = ("usr/share/man", "usr/share/info", "usr/share/locale", "usr/share/doc-base", "boot")
SITE = Path("opt/longhaul/site")
SOURCES = "sources.json"
_WHEELS = [f"manylinux_2_{minor}_x86_64" for minor in (5, 12, 17, 24, 26, 27, 28, 31, 34)]
_WHEELS += [f"manylinux{name}_x86_64" for name in ("1", "2010", "2014")]
_LOCK = bundle.HERE / "requirements.lock"
_PROJECT = bundle.HERE / "pyproject.toml"


class UserlandUnavailable(LonghaulError):
    """There is no root file system for guests and none can be made; the text says why, and what to do."""


def ensure() -> Path:
    """The folder of the root file system, made first where there is none. Raises UserlandUnavailable."""
    if ready := cached():
        return ready
    if missing := [tool for tool in ("apt-get", "dpkg-deb") if not shutil.which(tool)]:
        raise UserlandUnavailable(
            f"{' and '.join(missing)} not found: it is made where there is Debian or Ubuntu"
        )
    cache = kernel.cache_folder()
    cache.mkdir(parents=True, exist_ok=True)
    with kernel.locked(cache), Progress("the guest's root") as progress:
        return cached() or make(cache, progress)


def lacking() -> list[str]:
    """What a fabric needs of a system and this one has not."""
    return [*absent(NEEDED), *([] if find_spec("mininet") else ["Mininet's Python package"])]


def absent(programs: Iterable[str]) -> list[str]:
    """Those of the programs that this system has not."""
    return [name for name in programs if not shutil.which(name, path=ENVIRONMENT["PATH"])]


def cached() -> Path | None:
    """The folder made by just this recipe, if there is one."""
    name = f"userland-{digest()}"
    folders = (cache / name for cache in (kernel.cache_folder(), kernel.SHARED))
    return next((folder for folder in folders if folder.exists()), None)


def digest() -> str:
    """Twelve hexadecimal digits that change with anything that the result depends on, bar Debian's updates.

    They follow from files alone: what packages an asking process happens to find must not tell.
    """
    recipe = hashlib.sha256(repr((BUILDER, SUITE, PYTHON, PACKAGES, LINKS, UNNEEDED)).encode())
    recipe.update(repr(tomllib.loads(_PROJECT.read_text())["project"]["dependencies"]).encode())
    recipe.update(_LOCK.read_bytes())
    return recipe.hexdigest()[:12]


def make(cache: Path, progress: Progress) -> Path:
    """Put it together in the cache's work folder, and name it when it is whole. Raises UserlandUnavailable."""
    work = cache / "userland.work"
    root = work / "root"
    shutil.rmtree(root, ignore_errors=True)
    root.mkdir(parents=True)
    progress.stage("download")
    archives = download(work / "apt", progress)
    progress.stage("unpack")
    for number, archive in enumerate(archives):
        run(["dpkg-deb", "--extract", archive, root])
        progress.update((number + 1) / len(archives))
    finish(root)
    progress.stage("Python")
    install_python_packages(work, root)
    compile_python(root, Path("usr/lib/python3"), Path(f"usr/lib/python{PYTHON}"), SITE)
    (root / SOURCES).write_text(json.dumps(sources(archives), indent=1))
    final = cache / f"userland-{digest()}"
    root.rename(final)
    shutil.rmtree(work)
    return final


# --- Debian's packages ---------------------------------------------------------------------------


def download(folder: Path, progress: Progress) -> list[Path]:
    """The packages with all that they need, whose digests are in the signed list."""
    mirrors = [*mirrors_here(), PUBLIC_MIRROR]
    prepare(folder, Origin(mirrors[0], SUITE))
    apt_get(folder, ["update"], lambda _: None)
    words = ["install", "--yes", "--download-only", "--no-install-recommends", *PACKAGES]
    apt_get(folder, words, progress.update)
    archives = sorted((folder / "cache" / "archives").glob("*.deb"))
    if len(archives) < len(PACKAGES):
        raise UserlandUnavailable(
            f"{mirrors[0]} did not deliver: see {folder / 'apt.log'}, then run this again"
        )
    return archives


def sources(archives: Iterable[Path]) -> list[dict[str, str]]:
    """For each package its version and the source it was built from, for whoever wants that."""
    fields = "${Package}\t${Version}\t${source:Package}\t${source:Version}"
    rows = [
        run(["dpkg-deb", "--show", f"--showformat={fields}", one]).split("\t") for one in archives
    ]
    names = ("package", "version", "source", "source_version")
    return [dict(zip(names, row, strict=True)) for row in rows]


def finish(root: Path) -> None:
    """What the packages' scripts would have done, as far as a fabric needs it; and what nobody reads goes."""
    for name in ("passwd", "group"):
        shutil.copy2(root / f"usr/share/base-passwd/{name}.master", root / "etc" / name)
    for name in ("mnt", "sys", "proc"):  # where a guest mounts what it needs to start
        (root / name).mkdir(exist_ok=True)
    (root / "etc/hosts").write_text("127.0.0.1 localhost\n")
    for link, target in LINKS.items():
        (root / link).unlink(missing_ok=True)
        (root / link).symlink_to(target)
    for folder in UNNEEDED:
        shutil.rmtree(root / folder, ignore_errors=True)
    for page in (root / "usr/share/doc").glob("*/*"):
        if page.name != "copyright" and not page.is_dir():
            page.unlink()
    for path in root.rglob("*"):
        if path.is_dir() and not path.is_symlink():
            path.chmod(path.stat().st_mode | 0o755)


# --- Python's packages ---------------------------------------------------------------------------


def install_python_packages(work: Path, root: Path) -> None:
    """Those that longhaul needs, as requirements.lock has them, for the root's Python."""
    wheels = work / "wheels"
    wheels.mkdir(exist_ok=True)
    made_here = download_wheels(entries(), wheels)
    for entry in made_here:
        listed = work / "one.lock"
        listed.write_text(entry)
        pip("wheel", "--no-deps", "--wheel-dir", wheels, "--require-hashes", "-r", listed)
    chosen = [*_target(), "--no-compile", "--no-index", "--no-deps", "--target", root / SITE]
    pip("install", *chosen, *sorted(wheels.glob("*.whl")))
    for tests in [path for path in (root / SITE).rglob("tests") if path.is_dir()]:
        shutil.rmtree(tests)


def compile_python(root: Path, *folders: Path) -> None:
    """Compile what is in these folders with the root's Python, once for all who will use it: a module's file may
    have another date there."""
    python = bundle.python(root)
    words = ["-I", "-m", "compileall", "-q", "-f", "--invalidation-mode", "unchecked-hash"]
    run([*python, *words, "-s", root, "-p", "/", *(root / folder for folder in folders)])


def download_wheels(wanted: Sequence[str], wheels: Path) -> list[str]:
    """Fetch what there are wheels of; the entries of which there are only sources."""
    left, made_here = list(wanted), list[str]()
    listed = wheels.parent / "now.lock"
    while True:
        listed.write_text("".join(left))
        try:
            pip("download", *_target(), "--no-deps", "-d", wheels, "--require-hashes", "-r", listed)
            return made_here
        except UserlandUnavailable as error:
            found = re.search(r"No matching distribution found for ([\w.-]+)", str(error))
            lacking = [entry for entry in left if found and entry.startswith(f"{found[1]}==")]
            if not lacking:
                raise
            made_here += lacking
            left = [entry for entry in left if entry not in lacking]


def _target() -> list[str]:
    platforms = [word for name in _WHEELS for word in ("--platform", name)]
    return ["--python-version", PYTHON, "--implementation", "cp", "--only-binary=:all:", *platforms]


def needed_names() -> set[str]:
    """What longhaul needs to run, and what that needs, and so on: names as in a lock file."""
    from packaging.requirements import Requirement  # noqa: PLC0415 (only who makes one needs it)

    environment = {"python_version": PYTHON, "python_full_version": f"{PYTHON}.0", "extra": ""}
    found, ahead = set[str](), ["longhaul"]
    while ahead:
        name = re.sub(r"[-_.]+", "-", ahead.pop()).lower()
        if name in found:
            continue
        found.add(name)
        try:
            wanted = [Requirement(text) for text in metadata.requires(name) or ()]
        except metadata.PackageNotFoundError:  # one that this Python does not need
            continue
        ahead += [one.name for one in wanted if not one.marker or one.marker.evaluate(environment)]
    return found - {"longhaul"}


def entries() -> list[str]:
    """What requirements.lock says of the packages that longhaul needs."""
    return locked_entries(_LOCK.read_text(), needed_names())


def locked_entries(lock: str, names: set[str]) -> list[str]:
    """The entries of a lock file for these packages, with their hashes and without their markers."""
    every = re.split(r"(?m)^(?=[a-z0-9])", lock)
    chosen = [entry for entry in every if entry.partition("==")[0] in names]
    return [re.sub(r" ; .*(?= \\\n)", "", entry, count=1) for entry in chosen]


def pip(*words: object) -> None:
    """Run this environment's pip. Raises UserlandUnavailable."""
    run([sys.executable, "-m", "pip", "--quiet", "--disable-pip-version-check", *words])


def run(command: Sequence[object]) -> str:
    """What a command prints. Raises UserlandUnavailable with what it complained of."""
    words = [str(word) for word in command]
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    if done.returncode:
        raise UserlandUnavailable(f"{Path(words[0]).name} failed: {done.stderr.strip()[-1500:]}")
    return done.stdout


def main() -> int:
    """Make it available, compile our own modules for its Python, and print its folder; 1 if that cannot be."""
    try:
        root = ensure()
        with suppress(UserlandUnavailable):  # the checkout may be somebody else's
            run(
                [
                    *bundle.python(root),
                    "-I",
                    "-m",
                    "compileall",
                    "-q",
                    *(bundle.HERE / one for one in bundle.OURS),
                ]
            )
        print(root)
    except LonghaulError as error:
        print(f"longhaul: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
