"""What a guest's kernel, were it taken over, can do to this machine: nothing of this. Each attack is made twice,
in the sandbox and out of it: one that failed anyway would prove nothing."""

import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from longhaul.machine import landlock, namespaces, sandbox, seccomp

pytestmark = pytest.mark.skipif(
    os.uname().machine != "x86_64", reason="guests are for x86-64: another machine"
)

ATTACKER = """
import contextlib, ctypes, json, os, shutil, signal, socket, sys, time
victim, run, target, port, exposed, attempts = map(json.loads, sys.argv[1:])
libc = ctypes.CDLL(None, use_errno=True)

def checked(result):
    if result < 0:
        raise OSError(ctypes.get_errno(), "refused")

def restore():
    shutil.rmtree(run + "/b", ignore_errors=True)
    for name in os.listdir(run):
        os.unlink(run + "/" + name)
    if "folder" in os.listdir(victim):
        os.rmdir(victim + "/folder")
    with open(victim + "/secret", "w") as secret:
        secret.write("secret")

for code in attempts:
    with contextlib.suppress(OSError):
        restore()
    child = os.fork()
    if not child:
        try:
            exec(code)
            os._exit(0)
        except OSError:
            os._exit(1)
        except BaseException as error:
            print(error, file=sys.stderr)
            os._exit(2)
    print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
"""
ATTACKS = {
    "read a secret": "open(victim + '/secret').read()",
    "read it by a path through another process": "open(f'/proc/{target}/root{victim}/secret').read()",
    "look into a folder": "os.listdir(victim)",
    "write beside the run folder": "open(victim + '/new', 'w')",
    "write into a file": "open(victim + '/secret', 'a').write('x')",
    "cut a file": "os.truncate(victim + '/secret', 0)",
    "delete a file": "os.unlink(victim + '/secret')",
    "move a file away": "os.rename(victim + '/secret', run + '/secret')",
    "link to a file": "os.link(victim + '/secret', run + '/secret')",
    "make a folder": "os.mkdir(victim + '/folder')",
    "change a file's mode": "os.chmod(victim + '/secret', 0o777)",
    "change an open folder's mode": "os.fchmod(os.open(run, os.O_RDONLY), 0o777)",
    "change a file's owner": "os.chown(victim + '/secret', os.getuid(), os.getgid())",
    "change a file's time": "os.utime(victim + '/secret', (1, 1))",
    "leave a symbolic link in the run folder": "os.symlink('/etc/passwd', run + '/link')",
    "leave a pipe in the run folder": "os.mkfifo(run + '/pipe')",
    "leave a device in the run folder": "os.mknod(run + '/null', 0o20666, os.makedev(0, 0))",
    "send a signal": "os.kill(target, 0)",
    "trace another process": "checked(libc.ptrace(16, target, 0, 0))",
    "choose another process's CPU": "os.sched_setaffinity(target, os.sched_getaffinity(0))",
    "bound another process's files": "import resource; resource.prlimit(target, resource.RLIMIT_NOFILE)",
    "connect by TCP": "socket.create_connection(('127.0.0.1', port))",
    "listen by TCP": "socket.create_server(('127.0.0.1', 0))",
    "send by UDP": "socket.socket(type=socket.SOCK_DGRAM).sendto(b'x', ('127.0.0.1', port))",
    "call a service of this user": "socket.socket(socket.AF_UNIX).connect(victim + '/socket')",
    "type into a terminal": "import fcntl; fcntl.ioctl(0, 0x5412, b'x')",
    "take on a new user namespace": "checked(libc.unshare(0x10000000))",
}
ONLY_ROOT = ("leave a device in the run folder", "type into a terminal")
ALLOWED = {
    "write, rename and delete in the run folder": """
open(run + '/a', 'w').write('x')
os.mkdir(run + '/b')
os.rename(run + '/a', run + '/b/c')
os.unlink(run + '/b/c')
os.rmdir(run + '/b')
""",
    "read what is exposed": "open(exposed + '/shown').read()",
    "start and end processes of its own": """
child = os.fork() or time.sleep(60)
os.kill(child, signal.SIGKILL)
os.waitpid(child, 0)
""",
}


@dataclass(frozen=True)
class Scene:
    """A folder with a secret, a service and a process of this user; and the folders that a guest is given."""

    victim: Path
    run: Path
    exposed: Path
    target: int
    port: int

    def confined(self, words: Sequence[str], **options: Any) -> subprocess.Popen[bytes]:
        """A Python that is confined as a guest's kernel is."""
        python = Path(sys.executable).resolve()
        walls = sandbox.Walls(
            readable=(*sandbox.system(), Path(sys.base_prefix), self.exposed),
            run=self.run,
            programs=(python, Path("/lib64/ld-linux-x86-64.so.2")),
        )
        return subprocess.Popen(
            [python, "-S", "-c", *words],
            preexec_fn=lambda: sandbox.enter(walls),  # noqa: PLW1509 (we have no threads)
            stdout=subprocess.PIPE,
            cwd=self.run,
            **options,
        )

    def attempt(self, codes: Mapping[str, str]) -> dict[str, bool]:
        """What of this a process that is confined like a guest's kernel gets done."""
        words: list[Any] = [str(self.victim), str(self.run), self.target, self.port]
        words += [str(self.exposed), list(codes.values())]
        ends = os.openpty()
        options = {"stdin": ends[1], "stderr": subprocess.PIPE}
        with self.confined([ATTACKER, *map(json.dumps, words)], **options) as attacker:
            out, complaint = attacker.communicate()
        for end in ends:
            os.close(end)
        assert attacker.returncode == 0, complaint
        statuses = [int(line) for line in out.split()]
        assert set(statuses) <= {0, 1}, complaint
        return {name: status == 0 for name, status in zip(codes, statuses, strict=True)}


TARGET = "import ctypes; ctypes.CDLL(None).prctl(0x59616D61, -1); print(flush=True); input()"


@contextmanager
def scene(folder: Path) -> Iterator[Scene]:
    victim, run, exposed = (folder / name for name in ("victim", "run", "exposed"))
    for made in (victim, run, exposed):
        made.mkdir()
    (victim / "secret").write_text("secret")
    (exposed / "shown").write_text("shown")
    with (
        socket.create_server(("127.0.0.1", 0)) as listener,
        socket.socket(socket.AF_UNIX) as service,
        subprocess.Popen(
            [sys.executable, "-c", TARGET], stdin=subprocess.PIPE, stdout=subprocess.PIPE
        ) as target,
    ):
        here = Path.cwd()
        os.chdir(victim)  # the whole path may be too long for a socket's
        service.bind("socket")
        os.chdir(here)
        service.listen()
        assert target.stdout
        target.stdout.readline()
        yield Scene(victim, run, exposed, target.pid, listener.getsockname()[1])
        target.kill()


LEVELS = ("as it is here", "in namespaces", "in namespaces, without Landlock")


@contextmanager
def level(name: str) -> Iterator[None]:
    """The sandbox as it is on this machine, and as it would be with less."""
    with pytest.MonkeyPatch.context() as patch:
        if name == "none":
            patch.setenv(sandbox.SWITCH, "off")
        elif not seccomp.available():
            pytest.skip("no seccomp: another kernel")
        elif name == "as it is here":
            if "nothing" in (sandbox.held().files, sandbox.held().signals):
                pytest.skip("neither Landlock of ABI 6 nor namespaces: another kernel")
        elif not namespaces.available():
            pytest.skip("no namespaces for users: sysctl kernel.unprivileged_userns_clone=1")
        elif name == "in namespaces":
            patch.setattr(landlock, "SIGNALS_SINCE", 99)
        else:
            patch.setenv(sandbox.SWITCH, "namespaces")
        yield


@pytest.fixture(scope="module")
def out_of_it(tmp_path_factory: pytest.TempPathFactory) -> dict[str, bool]:
    """What gets done without a sandbox."""
    with level("none"), scene(tmp_path_factory.mktemp("off")) as here:
        return here.attempt(ATTACKS)


@pytest.fixture(scope="module", params=LEVELS)
def within(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> dict[str, bool]:
    """What gets done in one, and whether all that was attacked is as it was."""
    with level(request.param), scene(tmp_path_factory.mktemp("on")) as here:
        done = here.attempt(ATTACKS | ALLOWED)
        done["change the secret"] = (here.victim / "secret").read_text() != "secret"
        left = {path.name for folder in (here.victim, here.run) for path in folder.iterdir()}
        done["leave something behind"] = left != {"secret", "socket"}
    return done


@pytest.mark.parametrize("attack", ATTACKS)
def test_out_of_the_sandbox_an_attack_succeeds(out_of_it: dict[str, bool], attack: str) -> None:
    if attack in ONLY_ROOT and os.geteuid() != 0:
        pytest.skip("only root can try: run the tests as root")
    assert out_of_it[attack]


@pytest.mark.parametrize("attack", [*ATTACKS, "change the secret", "leave something behind"])
def test_in_the_sandbox_it_fails(within: dict[str, bool], attack: str) -> None:
    assert not within[attack]


@pytest.mark.parametrize("need", ALLOWED)
def test_what_a_guest_needs_it_may_do(within: dict[str, bool], need: str) -> None:
    assert within[need]


@pytest.mark.parametrize("name", LEVELS)
def test_a_signal_from_outside_ends_all_of_it(tmp_path: Path, name: str) -> None:
    code = "print(flush=True); import time; time.sleep(600)"
    with level(name), scene(tmp_path) as here, here.confined([code]) as process:
        assert process.stdout
        assert process.stdout.readline() == b"\n"
        process.kill()
        assert process.wait() == -signal.SIGKILL
        assert process.stdout.read() == b"", "the last process that held it open is gone"


def test_of_a_systems_settings_what_everybody_may_read_is_shown(tmp_path: Path) -> None:
    (tmp_path / "ssl" / "certs").mkdir(parents=True)
    (tmp_path / "ssl" / "certs" / "ca.pem").touch()
    (tmp_path / "ssl" / "key.pem").touch(mode=0o600)
    (tmp_path / "private").mkdir(mode=0o710)
    (tmp_path / "private" / "looks-open").touch()
    (tmp_path / "hosts").touch()
    (tmp_path / "link").symlink_to("private/looks-open")
    shown = {str(path.relative_to(tmp_path)) for path in sandbox.everybodys(tmp_path)}
    assert shown == {"ssl/certs", "hosts"}


def test_what_vanishes_while_settings_are_looked_at_is_left_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As beside an installation of packages, which locks files there for an instant."""
    (tmp_path / "group.lock").touch()
    (tmp_path / "hosts").touch(mode=0o600)
    (tmp_path / "passwd").touch()
    scandir = os.scandir

    @contextmanager
    def beside_an_installation(folder: Path) -> Iterator[list[os.DirEntry[str]]]:
        with scandir(folder) as entries:
            found = list(entries)
        (folder / "group.lock").unlink()
        yield found

    monkeypatch.setattr(os, "scandir", beside_an_installation)
    assert sandbox.everybodys(tmp_path) == [tmp_path / "passwd"]


def test_a_sandbox_with_a_gap_says_which(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(landlock, "version", lambda: 2)
    monkeypatch.setattr(namespaces, "available", lambda: False)
    assert sandbox.held().signals == "nothing"
    assert sandbox.held().files == "Landlock 2"
    assert not sandbox.held().whole
