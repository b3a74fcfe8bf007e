"""What a bundle and its wheel are made of; the whole of one takes minutes, and is `make bundle`."""

import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from longhaul.machine import bundle, bundling, userland, wheel

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


def test_a_wheel_installs_one_name_and_starts_what_is_in_it(tmp_path: Path) -> None:
    name = "longhaul-9-linux-x86_64"
    inside = tmp_path / name
    inside.mkdir()
    (inside / "longhaul").write_text('#!/bin/sh\necho started "$@"\n')
    (inside / "longhaul").chmod(0o755)
    archive = tmp_path / f"{name}.tar.gz"
    subprocess.run(["tar", "-czf", archive, "-C", tmp_path, name], check=True)
    made = wheel.make(archive, tmp_path)
    with zipfile.ZipFile(made) as packed:
        assert {path.split("/")[0] for path in packed.namelist()} == {
            "longhaul_bundle",
            packed.namelist()[-1].split("/")[0],
        }
    site = tmp_path / "site"
    install = [sys.executable, "-m", "pip", "install", "--quiet", "--no-index", "--target"]
    subprocess.run([*install, site, made], check=True)
    for _ in range(2):  # unpacked, and there already
        said = subprocess.run(
            [site / "bin" / "longhaul", "run", "a b"],
            env={"PYTHONPATH": str(site), "HOME": str(tmp_path / "home")},
            capture_output=True,
            text=True,
            check=True,
        )
        assert said.stdout == "started run a b\n"


@pytest.mark.parametrize("missing", ["apt-get", "dpkg-deb"])
def test_a_root_that_cannot_be_made_here_says_what_is_missing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, missing: str
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setattr(shutil, "which", lambda tool: None if tool == missing else tool)
    with pytest.raises(userland.UserlandUnavailable, match=f"{missing} not found.*--root system"):
        userland.ensure()
