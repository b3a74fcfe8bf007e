"""What a bundle and its wheel are made of; the whole of one takes minutes, and is `make bundle`."""

import functools
import shutil
import subprocess
import sys
import threading
import zipfile
from collections.abc import Callable, Iterator
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from importlib import metadata
from pathlib import Path

import pytest

from longhaul.machine import bundle, bundling, dispatch, userland, wheel
from longhaul.machine.init import ENVIRONMENT
from scenario.job import Verb

LOADER = b"/lib64/ld-linux-x86-64.so.2\0"


def test_a_bundles_kernel_asks_for_a_loader_that_is_open(tmp_path: Path) -> None:
    program = tmp_path / "linux"
    program.write_bytes(b"before" + LOADER + b"after")
    bundling.ask_for_open_loader(program)
    changed = program.read_bytes()
    assert changed == b"before" + bundle.LOADER_PATH.encode().ljust(len(LOADER), b"\0") + b"after"


def test_a_checkout_is_no_bundle() -> None:
    assert bundle.home() is None


LOCK = """\
jinja2==3.1.6 \\
    --hash=sha256:aa
legacy-cgi==2.6.4 ; python_full_version >= '3.13' \\
    --hash=sha256:bb \\
    --hash=sha256:cc
mypy==2.4.1 \\
    --hash=sha256:dd
"""


def test_a_lock_files_entries_are_taken_whole_and_without_markers() -> None:
    assert userland.locked_entries(LOCK, {"jinja2", "legacy-cgi"}) == [
        "jinja2==3.1.6 \\\n    --hash=sha256:aa\n",
        "legacy-cgi==2.6.4 \\\n    --hash=sha256:bb \\\n    --hash=sha256:cc\n",
    ]


def test_what_longhaul_needs_to_run_is_found_and_its_tests_needs_are_not() -> None:
    names = userland.needed_names()
    assert {"os-ken", "polars", "polars-runtime-32", "jinja2", "markupsafe"} <= names
    assert not {"pytest", "ruff", "mypy", "longhaul"} & names


def test_the_name_of_a_root_follows_from_files_and_not_from_what_a_process_finds(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Two runs of one process and another would else have roots of their own."""
    before = userland.digest()
    monkeypatch.setattr(metadata, "requires", lambda _: [])
    assert userland.needed_names() == set()
    assert userland.digest() == before
    changed = tmp_path / "requirements.lock"
    changed.write_text(LOCK)
    monkeypatch.setattr(userland, "_LOCK", changed)
    assert userland.digest() != before


@pytest.fixture
def archive(tmp_path: Path) -> Path:
    """Of a bundle that says what it was started with."""
    name = "longhaul-9-linux-x86_64"
    inside = tmp_path / name
    inside.mkdir()
    (inside / "longhaul").write_text('#!/bin/sh\necho started "$@"\n')
    (inside / "longhaul").chmod(0o755)
    (inside / "absolute").symlink_to("/etc/passwd")
    packed = tmp_path / f"{name}.tar.gz"
    subprocess.run(["tar", "-czf", packed, "-C", tmp_path, name], check=True)
    return packed


Start = Callable[..., subprocess.CompletedProcess[str]]


def installed(made: Path, site: Path) -> Start:
    """A wheel's command, once pip has installed it into a folder."""
    install = [sys.executable, "-m", "pip", "install", "--quiet", "--no-index", "--target"]
    subprocess.run([*install, site, made], check=True)

    def start(**environment: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-W", "error", site / "bin" / "longhaul", "run", "a b"],
            env={"PYTHONPATH": str(site), "HOME": str(site / "home"), **environment},
            capture_output=True,
            text=True,
            check=False,
        )

    return start


def test_a_wheel_installs_one_name_and_starts_what_is_in_it(archive: Path, tmp_path: Path) -> None:
    made = wheel.make(archive, tmp_path)
    with zipfile.ZipFile(made) as packed:
        assert {path.split("/")[0] for path in packed.namelist()} == {
            "longhaul_bundle",
            packed.namelist()[-1].split("/")[0],
        }
    start = installed(made, tmp_path / "site")
    for _ in range(2):  # unpacked, and there already
        assert start().stdout == "started run a b\n"


class _Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def served(archive: Path) -> Iterator[str]:
    """The archive's address at a server on loopback."""
    handler = functools.partial(_Quiet, directory=str(archive.parent))
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}/{archive.name}"
        server.shutdown()


@pytest.mark.slow
def test_a_wheel_without_contents_fetches_them_once_from_where_the_user_says(
    archive: Path, served: str, tmp_path: Path
) -> None:
    made = wheel.make_fetching(archive, tmp_path)
    assert made.stat().st_size < 10_000
    for number, place in enumerate((str(archive), archive.as_uri(), served)):
        start = installed(made, tmp_path / f"site{number}")
        assert start(LONGHAUL_BUNDLE=place).stdout == "started run a b\n"
        assert start().stdout == "started run a b\n", "it is in the cache by then"


def test_it_takes_no_other_archive_and_says_what_it_wants(
    archive: Path, served: str, tmp_path: Path
) -> None:
    start = installed(wheel.make_fetching(archive, tmp_path), tmp_path / "site")
    unsaid = start()
    assert unsaid.returncode == 1
    assert "Say where longhaul-9-linux-x86_64.tar.gz is, a path or a URL" in unsaid.stderr
    for place in ("/nowhere.tar.gz", "http://127.0.0.1:1/x", f"{served}x", "no-such://x"):
        wrong = start(LONGHAUL_BUNDLE=place)
        assert wrong.returncode == 1
        assert "Traceback" not in wrong.stderr
    archive.write_bytes(archive.read_bytes() + b"more")
    other = start(LONGHAUL_BUNDLE=served)
    assert other.returncode == 1
    assert "is not the archive that this package was made with" in other.stderr
    assert not list((tmp_path / "site/home/.cache/longhaul").iterdir()), "nothing is left of it"


@pytest.mark.parametrize("missing", ["apt-get", "dpkg-deb"])
def test_a_root_that_cannot_be_made_here_says_what_is_missing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, missing: str
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setattr(shutil, "which", lambda tool: None if tool == missing else tool)
    with pytest.raises(userland.UserlandUnavailable, match=f"{missing} not found"):
        userland.ensure()


@pytest.mark.parametrize(
    ("lacking", "made", "root"),
    [
        ([], None, "system"),
        ([], Path("/made"), "own"),
        (["ip"], None, "own"),
        (["ip"], Path("/made"), "own"),
    ],
)
def test_guests_have_a_root_of_their_own_once_it_is_made_or_where_the_system_has_not_enough(
    monkeypatch: pytest.MonkeyPatch, lacking: list[str], made: Path | None, root: str
) -> None:
    monkeypatch.setattr(userland, "lacking", lambda: lacking)
    monkeypatch.setattr(userland, "cached", lambda: made)
    assert dispatch.root_name("auto", "run") == root
    assert [dispatch.root_name(name, "run") for name in ("own", "system")] == ["own", "system"]
    assert dispatch.root_name("system", "exec") == root, "its program sees the system in any case"
    assert dispatch.root_name("own", "exec") == "own"
    assert dispatch.root_name("auto", "live") == root


@pytest.mark.parametrize(
    ("verb", "wanted", "absent", "system"),
    [
        ("exec", "auto", ["ping"], True),
        ("exec", "own", [], False),
        ("live", "auto", [], True),
        ("live", "auto", ["ping"], False),
        ("live", "own", [], False),
        ("run", "auto", [], False),
    ],
)
def test_peoples_programs_see_the_systems_software_and_their_shells_where_it_has_a_ping(
    monkeypatch: pytest.MonkeyPatch, verb: Verb, wanted: str, absent: list[str], *, system: bool
) -> None:
    monkeypatch.setattr(userland, "absent", lambda _: absent)
    assert dispatch.for_programs(wanted, verb) == system


def test_what_a_fabric_is_made_of_is_looked_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(ENVIRONMENT, "PATH", str(tmp_path))
    assert userland.lacking()[: len(userland.NEEDED)] == list(userland.NEEDED)


def test_a_bundle_starts_itself_once_more_by_its_own_loader(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """This machine's may be too old for the bundle's Python."""
    assert bundle.again() == [sys.executable, "-P", "-m", "longhaul"]
    monkeypatch.setattr(bundle, "root", lambda: tmp_path)
    loader, *words = bundle.again()
    assert Path(loader).is_relative_to(tmp_path)
    assert words[-4:] == [str(tmp_path / "usr/bin/python3"), "-P", "-m", "longhaul"]
