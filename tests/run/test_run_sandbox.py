"""Programs in a guest are root there. What of this machine they can reach, with the sandbox and without."""

import os
from pathlib import Path

import pytest

from tests.run.conftest import ROOT, Done, longhaul

TWO_HOSTS = ROOT / "topologies" / "two-hosts.yaml"

ATTACKS = r"""
echo "seen: $(ls)"
mount -o remount,rw "$PWD" && echo x >here
mkdir /tmp/h
mount -t hostfs none /tmp/h -o "$VICTIM"
echo "secret: $(cat /tmp/h/secret)"
echo x >/tmp/h/beside
chmod 777 /tmp/h/secret
mkdir /tmp/p
mount -t hostfs none /tmp/p -o "/proc/self/root$VICTIM"
echo x >/tmp/p/roundabout
run=$(ls -d "$PWD"/runs/.exec*)
ln -s /etc/passwd "$run/logs/link" && [ -L "$run/logs/link" ] && echo linked
mkfifo "$run/logs/pipe" && [ -p "$run/logs/pipe" ] && echo piped
echo x >"$run/logs/file" && [ -f "$run/logs/file" ] && echo written
"""


@pytest.fixture(scope="module", params=["sandbox", pytest.param("off", marks=pytest.mark.slow)])
def attacked(
    request: pytest.FixtureRequest,
    tmp_path_factory: pytest.TempPathFactory,
    kernel: Path,  # noqa: ARG001
) -> tuple[bool, Done, Path]:
    """Whether there was a sandbox, what the program said, and the folder with `victim` and `project`."""
    folder = tmp_path_factory.mktemp('ein "Ordner", 東京')
    for name in ("victim", "project"):
        (folder / name).mkdir()
    (folder / "victim" / "secret").write_text("of the host")
    (folder / "victim" / "secret").chmod(0o600)
    (folder / "project" / "train.py").touch()
    command = ("exec", TWO_HOSTS, "--hosts", "c1-*", "--env", f"VICTIM={folder}/victim", "--")
    switch = {"LONGHAUL_SANDBOX": "off"} if request.param == "off" else {}
    done = longhaul(*command, "sh", "-c", ATTACKS, cwd=folder / "project", env=switch)
    return request.param == "sandbox", done, folder


Attacked = tuple[bool, Done, Path]


def test_a_guest_sees_the_current_folder_whatever_its_name(attacked: Attacked) -> None:
    """A kernel's command line carries neither spaces nor quotes nor letters beyond ASCII."""
    assert "seen: runs\nc1-h100-1: train.py" in attacked[1].out


def test_the_current_folder_cannot_be_made_writable(attacked: Attacked) -> None:
    sandboxed, _, folder = attacked
    assert (folder / "project" / "here").exists() is not sandboxed


def test_a_second_mount_of_the_host_shows_nothing(attacked: Attacked) -> None:
    sandboxed, done, _ = attacked
    assert ("secret: of the host" in done.out) is not sandboxed


@pytest.mark.parametrize("name", ["beside", "roundabout"])
def test_a_second_mount_of_the_host_cannot_be_written_to(attacked: Attacked, name: str) -> None:
    sandboxed, _, folder = attacked
    assert (folder / "victim" / name).exists() is not sandboxed


def test_the_mode_of_a_hosts_file_stays(attacked: Attacked) -> None:
    sandboxed, _, folder = attacked
    assert ((folder / "victim" / "secret").stat().st_mode & 0o777 == 0o600) is sandboxed


def test_a_run_folder_takes_files_and_no_links_or_pipes(attacked: Attacked) -> None:
    sandboxed, done, _ = attacked
    said = [word for word in ("linked", "piped", "written") if f"c1-h100-1: {word}" in done.out]
    assert said == (["written"] if sandboxed else ["linked", "piped", "written"])


def test_of_a_home_folder_only_what_the_command_names_is_seen(tmp_path: Path, kernel: Path) -> None:  # noqa: ARG001
    for name in ("key", "train.py"):
        (tmp_path / name).write_text("print(open('key').read())")
    cache = os.environ.get("XDG_CACHE_HOME", str(Path.home() / ".cache"))
    home = {"HOME": str(tmp_path), "XDG_CACHE_HOME": cache}
    command = ("exec", TWO_HOSTS, "--hosts", "c1-*", "--", "python3", "train.py")
    done = longhaul(*command, cwd=tmp_path, env=home)
    assert "FileNotFoundError: [Errno 2] No such file or directory: 'key'" in done.out
    assert "sees of your home folder only" in done.complaint
    assert done.status == 1
