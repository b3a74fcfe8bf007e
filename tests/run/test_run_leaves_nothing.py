"""An ordinary user can run it; however a run ends, nothing of it stays on the machine."""

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from tests.run.conftest import ROOT, longhaul, started

pytestmark = pytest.mark.alone  # it looks at the whole machine
TWO_HOSTS = ROOT / "topologies" / "two-hosts.yaml"
NOBODY = 65534
WATCHED = ("/tmp", "/dev/shm", "/run", "/var/tmp")


def processes_of(folder: Path) -> list[str]:
    """Command lines of the processes that name a folder or are in it, of this run or its guest."""
    found = []
    for entry in Path("/proc").iterdir():
        try:
            line = (entry / "cmdline").read_bytes() if entry.name.isdigit() else b""
            if line:
                line += b" in " + os.fsencode((entry / "cwd").readlink())
        except OSError:
            continue
        if str(folder).encode() in line:
            found.append(line.replace(b"\0", b" ").decode(errors="replace"))
    return found


def of_the_machine(folder: Path) -> dict[str, set[str]]:
    """What a run could leave: mounts, named namespaces, interfaces, files where programs put them."""
    files = {
        path for place in WATCHED for path in _below(Path(place)) if folder not in path.parents
    }
    return {
        "mounts": {
            line.split()[4] for line in Path("/proc/self/mountinfo").read_text().splitlines()
        },
        "interfaces": set(os.listdir("/sys/class/net")),  # noqa: PTH208
        "files": {str(path) for path in files if _ours(path)},
    }


def _below(place: Path) -> list[Path]:
    try:
        return list(place.iterdir())
    except OSError:
        return []


def _ours(path: Path) -> bool:
    """Could longhaul have made it? Others work on this machine at the same time."""
    words = ("longhaul", "uml", "vm_file", "guest", "ovs", "openvswitch", "mininet", "netns", "mn_")
    return any(word in path.name for word in words)


@pytest.fixture
def nothing_left(tmp_path: Path, kernel: Path) -> Iterator[Path]:  # noqa: ARG001
    """The folder to work in; what was there before is compared with what is there after."""
    before = of_the_machine(tmp_path)
    yield tmp_path
    deadline = time.monotonic() + 600
    while processes_of(tmp_path) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert processes_of(tmp_path) == []
    while left_since(before, tmp_path) and time.monotonic() < deadline:
        time.sleep(0.5)  # what others on this machine have for a while
    assert left_since(before, tmp_path) == {}


def left_since(before: Mapping[str, set[str]], folder: Path) -> dict[str, set[str]]:
    """What there is now and was not then."""
    now = of_the_machine(folder)
    return {kind: found - before[kind] for kind, found in now.items() if found - before[kind]}


def started_run(folder: Path) -> subprocess.Popen[str]:
    """A long run in mid-workload, with a guest that is alive."""
    long = ("--patience", "100", "--workload", folder / "long.yaml")
    (folder / "long.yaml").write_text(
        "longhaul: 1\nname: long\nkind: training\nmodel: {parameters: 7e9}\n"
        "batch: {tokens: 4Mi}\niterations: 100000\n"
    )
    process = started("run", TWO_HOSTS, *long, "--out", folder / "out", start_new_session=True)
    progress = folder / ".out.partial" / "progress"
    deadline = time.monotonic() + 600
    while not (progress.exists() and '"iteration"' in progress.read_text()):
        assert process.poll() is None, process.communicate()
        assert time.monotonic() < deadline
        time.sleep(0.05)
    assert len(processes_of(folder)) > 1, "a guest must be there for its end to mean something"
    return process


@pytest.mark.slow
def test_after_a_run_nothing_is_left_but_its_folder(nothing_left: Path) -> None:
    done = longhaul("run", TWO_HOSTS, "--out", nothing_left / "out")
    assert done.status == 0, done.complaint
    assert os.listdir(nothing_left) == ["out"]  # noqa: PTH208


def test_after_kill_nothing_is_left_but_a_folder_that_is_not_mistaken_for_a_run(
    nothing_left: Path,
) -> None:
    process = started_run(nothing_left)
    process.kill()
    process.communicate()
    assert process.returncode == -signal.SIGKILL
    assert not (nothing_left / "out").exists()
    assert (nothing_left / ".out.partial").exists()


@pytest.mark.parametrize("whom", ["longhaul alone", "everything in the terminal"])
def test_ctrl_c_ends_a_run_at_once_and_says_so(nothing_left: Path, whom: str) -> None:
    process = started_run(nothing_left)
    if whom == "longhaul alone":
        process.send_signal(signal.SIGINT)
    else:
        os.killpg(process.pid, signal.SIGINT)
    _, complaint = process.communicate(timeout=1800)
    assert process.returncode == 130
    assert "Traceback" not in complaint
    assert "interrupted; nothing of it is left running" in complaint
    assert not (nothing_left / "out").exists()
    assert (nothing_left / "out.failed" / "logs" / "console.log").exists()


def test_a_termination_leaves_nothing_either(nothing_left: Path) -> None:
    process = started_run(nothing_left)
    process.terminate()
    process.communicate(timeout=1800)
    assert process.returncode != 0


@pytest.fixture
def as_nobody(kernel: Path) -> Iterator[Path]:
    """A folder that user 65534 may write to, with the kernel's cache to read."""
    if os.geteuid():
        pytest.skip("not root, so all tests run as an ordinary user: run them as root, too")
    command = ["setpriv", f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups", "test", "-r"]
    for needed in (ROOT / "longhaul" / "cli.py", Path(sys.executable)):
        if subprocess.run([*command, needed], check=False).returncode:
            pytest.skip(f"{needed} cannot be read by others: a checkout that can")
    home = Path("/var/tmp") / f"longhaul-as-nobody-{os.getpid()}"
    shutil.copytree(kernel, home / "cache" / "longhaul" / kernel.name)
    home.chmod(0o755)
    (home / "work").mkdir()
    os.chown(home / "work", NOBODY, NOBODY)
    try:
        yield home
    finally:
        shutil.rmtree(home)


@pytest.mark.slow
def test_a_user_with_no_rights_at_all_can_run_it(as_nobody: Path) -> None:
    before = [
        "setpriv",
        f"--reuid={NOBODY}",
        f"--regid={NOBODY}",
        "--clear-groups",
        "--no-new-privs",
    ]
    done = longhaul(
        "run", TWO_HOSTS, "--out", as_nobody / "work" / "out",
        folder=as_nobody / "work" / "out", cwd=as_nobody / "work", before=before,
        env={"XDG_CACHE_HOME": str(as_nobody / "cache"), "HOME": str(as_nobody / "work")},
    )  # fmt: skip
    assert done.status == 0, done.complaint
    assert done.summary["world_size"] == 2
    assert (done.folder / "summary.json").stat().st_uid == NOBODY
    assert processes_of(as_nobody) == []
