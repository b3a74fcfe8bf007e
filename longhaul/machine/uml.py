"""The guest: a User-Mode Linux kernel that carries the fabric, as an ordinary process in a sandbox.

It sees what it is shown of the host's files, read-only, and one folder, the run's, writable. Its clock is virtual
unless real time is asked for, and its randomness is a function of the seed. [kernel-notes in docs/machine.md]
"""

from __future__ import annotations

import ctypes
import json
import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from longhaul.machine import bundle, cpus, memory, sandbox
from longhaul.machine.init import OWN_ROOT, PAYLOAD, ROOT, SHOWN, SHOWN_TO_PROGRAMS
from scenario.errors import LonghaulError

START_NS = 1_700_000_000_000_000_000
"""Wall-clock time at which every virtual run begins, nanoseconds since the epoch."""

OWN_PYTHON = "/usr/bin/python3"
"""In a root of the guest's own."""
_PLAIN_PATH = re.compile(r"[\w./+@:,~^-]+", re.ASCII)
_PR_SET_PDEATHSIG = 1
_ADDR_NO_RANDOMIZE = 0x0040000
_libc = ctypes.CDLL(None, use_errno=True)


class GuestError(LonghaulError):
    """The guest cannot be started here; the text says why and what to do."""


@dataclass(frozen=True)
class Guest:
    """How to start one: the kernel's folder, the run's, and in what time.

    `payload` is the module that does the job there, as `python -m PAYLOAD RUN`. `cpu` None: a free one.
    """

    kernel: Path
    run: Path
    seed: int
    time: str
    memory_bytes: int
    cpu: int | None = None
    payload: str = PAYLOAD
    exposed: tuple[Path, ...] = ()
    root: Path | None = None
    """A root file system of the guest's own; None: this machine's."""
    for_programs: bool = False
    """With a root of its own: whether there is this machine's software, too, for programs of the hosts."""


def command(guest: Guest, root: str) -> list[str]:
    """The kernel's command line, with `root` as the host's folder that the guest starts in.

    Raises GuestError where no Python has a path that can stand in it.
    """
    clock = {"virtual": ["time-travel=inf-cpu", f"time-travel-start={START_NS}"], "real": []}
    return [
        str(guest.kernel / "linux"),
        "seccomp=on",
        *clock[guest.time],
        f"mem={guest.memory_bytes // memory.MIB}M",
        f"seed={guest.seed}",
        "root=/dev/root", "rootfstype=hostfs", f"rootflags={root}", "ro",
        "quiet", "loglevel=3", "norandmaps", "panic=-1",
        "con=null", "con0=fd:0,fd:1",
        "uml_dir=./", "umid=guest",
        f"TERM={os.environ.get('TERM', 'linux')}",
        f"init={OWN_PYTHON if guest.root else first_program()}", "--", "-S", "-c", first_words(guest),
    ]  # fmt: skip


def first_program() -> str:
    """A Python for process 1, which needs no packages: ours as it is without symbolic links.

    Raises GuestError.
    """
    for path in (str(Path(sys.executable).resolve()), "/usr/bin/python3"):
        if _PLAIN_PATH.fullmatch(path) and os.access(path, os.X_OK):
            return path
    raise GuestError(
        f"the path {sys.executable!r} has a character that a kernel command line cannot carry, and there is no "
        "/usr/bin/python3: use a Python at a path of letters, digits and ./_-+@:,~^"
    )


def first_words(guest: Guest) -> str:
    """What that Python is told, as one word without a space or anything else that a kernel's command line
    could not carry."""
    python, code, host = sys.executable, str(ROOT), "/"
    program = "import sys, ctypes; "
    if guest.root:
        python, host = OWN_PYTHON, "/mnt"
        if ROOT.is_relative_to(guest.root):
            code = f"/{ROOT.relative_to(guest.root)}"
        program += f"ctypes.CDLL(None).mount(b'none', b'{host}', b'hostfs', 1, b'/'); "
    there = code if ROOT.is_relative_to(guest.root or "/nowhere") else host + code
    arguments = [str(guest.run), guest.payload, python, code, host]
    program += f"sys.path.append({f'{there}/longhaul/machine'!r}); "
    program += f"import init; init.guest(*{arguments!r})"
    return f"exec(bytes.fromhex('{program.encode().hex()}'))"


def shown(guest: Guest) -> list[Path]:
    """What the guest sees of this machine: its software, ours, and what is exposed to it. Raises GuestError."""
    if not guest.root:
        return of_this_machine(guest)
    hidden = [Path("/", name) for name in OWN_ROOT]
    brought = ROOT.is_relative_to(guest.root)
    if not brought and any(map(ROOT.is_relative_to, hidden)):
        raise GuestError(
            f"longhaul is in {ROOT}, where guests have files of their own and cannot see it: have it elsewhere "
            f"than in {', '.join(map(str, hidden))}, or say --root system"
        )
    seen = [path for path in guest.exposed if not any(map(path.is_relative_to, hidden))]
    return seen if brought else [*seen, *ours(guest)]


def ours(guest: Guest) -> list[Path]:
    """Our own modules, and the payload's."""
    packages = {*bundle.OURS, guest.payload.partition(".")[0]}
    return [ROOT / name for name in sorted(packages) if (ROOT / name).exists()]


def of_this_machine(guest: Guest) -> list[Path]:
    """This machine's software, ours, and what is exposed."""
    prefixes = [Path(sys.prefix), Path(sys.base_prefix)]
    pythons = [*prefixes, *(path.resolve() for path in prefixes)]  # .venv may be a link
    return [*sandbox.system(), *ours(guest), *pythons, *guest.exposed]


@contextmanager
def booted(
    guest: Guest, console: int | None, keyboard: int | None
) -> Iterator[subprocess.Popen[bytes]]:
    """Start the guest; on leaving it is dead. `console` and `keyboard` are as Popen's stdout and
    stdin; None is our own terminal. Raises GuestError."""
    visible = shown(guest)
    to_programs = of_this_machine(guest) if guest.root and guest.for_programs else []
    with ExitStack() as stack:
        opened = stack.enter_context(Opened())
        cpu = stack.enter_context(cpus.taken(guest.cpu))
        environment = {
            "PATH": os.environ.get("PATH", os.defpath),
            "HOME": str(guest.run),
        }
        loader, libraries = Path("/lib64/ld-linux-x86-64.so.2"), sandbox.libraries()
        if guest.root and bundle.home():
            loader = (guest.root / "lib64/ld-linux-x86-64.so.2").resolve()
            libraries = []
            opened.as_number(loader, bundle.LOADER)
            environment["LD_LIBRARY_PATH"] = opened.name(loader.parent)
        root = opened.name(guest.root) if guest.root else "/"
        walls = sandbox.Walls(
            readable=(
                *visible,
                *to_programs,
                guest.kernel,
                *libraries,
                *([guest.root] if guest.root else []),
            ),
            run=guest.run,
            programs=(guest.kernel / "linux", loader),
            opened=tuple(opened.names),
        )
        for file, paths in ((SHOWN, visible), (SHOWN_TO_PROGRAMS, to_programs)):
            (guest.run / file).write_text(json.dumps([str(path) for path in paths]))
        process = subprocess.Popen(
            command(guest, root),
            stdin=keyboard,
            stdout=console,
            stderr=console,
            env=environment,
            cwd=guest.run,
            pass_fds=opened.handles,
            start_new_session=keyboard is not None,
            preexec_fn=lambda: _settle(cpu, walls),  # noqa: PLW1509 (we have no threads)
        )
        stack.callback(end, process)
        yield process


class Opened:
    """Files and folders that a child finds by the number they are open as, where their names will not do."""

    def __init__(self) -> None:
        self.handles: list[int] = []
        self.names: list[tuple[Path, Path]] = []

    def __enter__(self) -> Opened:
        return self

    def __exit__(self, *_: object) -> None:
        for handle in self.handles:
            os.close(handle)

    def name(self, path: Path) -> str:
        """A name for the path without spaces or anything that needs quoting."""
        if _PLAIN_PATH.fullmatch(str(path)):
            return str(path)
        self._add(path, os.open(path, os.O_PATH))
        return str(self.names[-1][1])

    def as_number(self, path: Path, number: int) -> None:
        """Open as just this number."""
        handle = os.open(path, os.O_PATH)
        os.dup2(handle, number)
        os.close(handle)
        self._add(path, number)

    def _add(self, path: Path, handle: int) -> None:
        self.handles.append(handle)
        self.names.append((path, Path(f"/proc/self/fd/{handle}")))


def _settle(cpu: int, walls: sandbox.Walls) -> None:
    """In the child: on one CPU (a system call of the guest is a switch between two processes), laid out in
    memory as always (the guest's size follows from where its heap begins), dying with its parent, confined."""
    os.sched_setaffinity(0, {cpu})
    _libc.personality(_ADDR_NO_RANDOMIZE)
    _libc.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    try:
        sandbox.enter(walls)
    except OSError as error:
        os.write(2, f"the sandbox could not be set up: {error}\n".encode())
        os._exit(1)


def end(process: subprocess.Popen[bytes]) -> None:
    """Kill the guest with all of its processes."""
    if process.poll() is None:
        process.kill()
    process.wait()
