"""Debian's kernel source in, a User-Mode Linux kernel out; see kernel.py for the cache around it.

Everything happens in a work folder of the cache. Each step leaves either its whole result or something
that the next try builds on, so it may be interrupted anywhere. Standard library only.
"""

from __future__ import annotations

import hashlib
import itertools
import json
import os
import re
import shutil
import subprocess
from collections.abc import Callable, Sequence
from dataclasses import asdict
from pathlib import Path

from longhaul.machine.child import child
from longhaul.machine.debian import KernelSource, Origin, download, find_source
from longhaul.machine.progress import Progress
from scenario.errors import LonghaulError

TESTED = ("7.3.4", "7.2.13")
"""Releases that longhaul was tested with, in the order in which they are taken; the figures are the first one's."""
OLDEST = "6.13"  # an older User-Mode Linux dies at once on a CPU with AMX

FRAGMENT = Path(__file__).with_name("kernel.config")
PATCHES = tuple(sorted((Path(__file__).parent / "patches").glob("*.patch")))
"""One idea each, applied in the order of their names, which begin with a number."""
INGREDIENTS = (FRAGMENT, *PATCHES)

BUILD_STEP = re.compile(r"  [A-Z]\w* ")  # what make prints for each file, as `  CC      mm/slab.o`
BUILD_STEPS = 1584  # as many for the first tested release
UNPACK_MARK = re.compile(r"tar: Read checkpoint")
UNPACK_MARKS = 160  # as many for the first tested release
MARK_RECORDS = 1000  # of 10 KiB each, from one to the next

# What make sees, and nothing else: the caller's ARCH, CFLAGS or MAKEFLAGS would leak into the build.
# The last three make the kernel name no builder, so that it is the same wherever it is built.
BUILD_ENVIRONMENT = {
    "PATH": "/usr/bin:/bin:/usr/sbin:/sbin",
    "LC_ALL": "C",
    "KBUILD_BUILD_USER": "longhaul",
    "KBUILD_BUILD_HOST": "longhaul",
    "KBUILD_BUILD_TIMESTAMP": "1970-01-01 00:00:00 UTC",
}


LOG = "build.log"

OnLine = Callable[[str], None]


class BuildFailed(LonghaulError):
    """A step of the build failed; the message ends with the last words of the log and names it."""


def build_kernel(cache: Path, recipe: str, progress: Progress) -> Path:
    """Build in `cache`/work and return the finished folder, `kernel-<release>-<recipe>`.

    Raises BuildFailed, or SourceUnavailable where no kernel source can be had.
    """
    work = cache / "work"
    work.mkdir(exist_ok=True)
    source = fetch(work, progress)
    progress.say(description(source))
    tree = unpack(work, progress)
    configure(tree, work, progress)
    compile_kernel(tree, work, progress)
    folder = install(tree, source, work, cache / f"kernel-{source.release}-{recipe}")
    progress.stage("tidying up")
    shutil.rmtree(work)
    return folder


def description(source: KernelSource) -> str:
    """Which source it is, and whether it is one that longhaul was tested with."""
    origin = source.origin
    return f"Linux {source.release} from Debian's {origin.suite} ({_tested(source.release)}), {origin.mirror}"


def _tested(release: str) -> str:
    first, *others = TESTED
    if release == first:
        return "the tested release"
    if release in others:
        return f"tested; the figures are those of {first}, which is gone"
    return f"not tested: {' and '.join(TESTED)} were, but are gone"


# --- the steps -----------------------------------------------------------------------------------


def fetch(work: Path, progress: Progress) -> KernelSource:
    """Have the source package in `work`/source.deb, and say which it is."""
    record = work / "source.json"
    if not record.exists():
        progress.stage("download")
        source = find_source(work / "apt", TESTED, OLDEST)
        download(work / "apt", source, progress.update).rename(work / "source.deb")
        write_whole(record, json.dumps(asdict(source)))
    fields = json.loads(record.read_text())
    return KernelSource(fields["package"], fields["version"], Origin(**fields["origin"]))


def unpack(work: Path, progress: Progress) -> Path:
    """Have the whole source in a folder of `work`, patched; one with other patches has to go."""
    patches = b"".join(patch.read_bytes() for patch in PATCHES)
    tree = work / f"tree-{hashlib.sha256(patches).hexdigest()[:12]}"
    if tree.exists():
        return tree
    progress.stage("unpack")
    partial, package = work / "tree.partial", work / "package"
    for leftover in (package, *work.glob("tree*")):
        shutil.rmtree(leftover, ignore_errors=True)
    partial.mkdir()
    run(["dpkg-deb", "--extract", str(work / "source.deb"), str(package)], work)
    (archive,) = package.glob("usr/src/linux-source-*.tar.xz")
    command = ["tar", "--extract", "--xz", "--file", str(archive), "--directory", str(partial)]
    command += ["--strip-components=1", f"--checkpoint={MARK_RECORDS}"]
    run(command, work, counter(UNPACK_MARK, UNPACK_MARKS, progress))
    shutil.rmtree(package)
    for patch in PATCHES:
        run(["patch", "-p1", "--batch", "-d", str(partial), "-i", str(patch)], work)
    return partial.rename(tree)


def configure(tree: Path, work: Path, progress: Progress) -> None:
    """Give the tree our configuration, and make sure that no line of it was dropped."""
    progress.stage("configure")
    run(make(tree, "allnoconfig", f"KCONFIG_ALLCONFIG={FRAGMENT}"), work)
    if lost := lost_options(FRAGMENT.read_text(), (tree / ".config").read_text()):
        raise BuildFailed(
            f"this kernel's configuration does not take these lines of {FRAGMENT}:\n  "
            + "\n  ".join(lost)
        )


def lost_options(fragment: str, config: str) -> list[str]:
    """The lines of a configuration fragment that a final .config contradicts."""
    final = set(config.splitlines())
    asked = [line for line in fragment.splitlines() if re.match(r"(# )?CONFIG_", line)]
    return [line for line in asked if not holds(line, final)]


def holds(line: str, final: set[str]) -> bool:
    """Whether a .config says so. An option that it does not mention at all is not set."""
    if not line.endswith(" is not set"):
        return line in final
    option = line.split()[1]
    return not any(other.startswith(f"{option}=") for other in final)


def compile_kernel(tree: Path, work: Path, progress: Progress) -> None:
    """Compile as many files at once as there are CPUs for us."""
    progress.stage("build")
    log = (work / LOG).read_text(errors="replace").splitlines()
    done = sum(
        bool(BUILD_STEP.match(line)) for line in log
    )  # more than none where a build was interrupted
    on_line = counter(BUILD_STEP, BUILD_STEPS, progress, done)
    run(make(tree, f"-j{len(os.sched_getaffinity(0))}", "linux"), work, on_line)


def install(tree: Path, source: KernelSource, work: Path, folder: Path) -> Path:
    """Put what is needed into `folder`, all at once."""
    partial = work / "result"
    shutil.rmtree(partial, ignore_errors=True)
    partial.mkdir()
    shutil.copy2(tree / "linux", partial / "linux")
    (partial / "built.json").write_text(json.dumps(provenance(partial / "linux", source), indent=1))
    return partial.rename(folder)


def provenance(linux: Path, source: KernelSource) -> dict[str, object]:
    """What a kernel is and what it was made from. Raises BuildFailed if it does not even start."""
    version = subprocess.run([linux, "--version"], capture_output=True, text=True, check=False)
    if version.returncode:
        raise BuildFailed(f"the kernel was built but does not run: {version.stderr.strip()}")
    gcc = subprocess.run(["gcc", "-dumpfullversion"], capture_output=True, text=True, check=True)
    return {
        "release": version.stdout.strip(),
        "source": asdict(source),
        "gcc": gcc.stdout.strip(),
        "libc": os.confstr("CS_GNU_LIBC_VERSION"),
    }


# --- running commands ----------------------------------------------------------------------------


def make(tree: Path, *arguments: str) -> list[str]:
    """The command that makes something of the kernel tree for User-Mode Linux."""
    return ["make", "-C", str(tree), "ARCH=um", "CC=gcc", "HOSTCC=gcc", *arguments]


def run(command: Sequence[str], work: Path, on_line: OnLine = lambda _: None) -> None:
    """Run a command, its output going to the log and, line by line, to `on_line`. Raises BuildFailed."""
    log = work / LOG
    with (
        log.open("a", buffering=1) as record,
        child(command, stdout=subprocess.PIPE, env=BUILD_ENVIRONMENT) as process,
    ):
        for line in process.stdout or ():
            record.write(line)
            on_line(line)
    if process.returncode:
        last = "\n  ".join(log.read_text(errors="replace").splitlines()[-12:])
        raise BuildFailed(
            f"{Path(command[0]).name} failed, saying last:\n  {last}\n"
            f"All it said is in {log}. To start afresh: rm -r {work}"
        )


def counter(mark: re.Pattern[str], expected: int, progress: Progress, done: int = 0) -> OnLine:
    """Something that counts the lines that match and shows them as a share of those expected."""
    counts = itertools.count(done + 1)

    def on_line(line: str) -> None:
        if mark.match(line):
            progress.update(min(next(counts) / expected, 0.99))

    return on_line


def write_whole(file: Path, text: str) -> None:
    """Write a file such that it is either there with all its text or not there at all."""
    partial = file.with_suffix(".partial")
    partial.write_text(text)
    partial.rename(file)
