"""The kernel's recipe, cache and lock, without building one; and children that die with their parent."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from longhaul.machine import kernel, userland
from longhaul.machine.kernel_build import BUILD_STEP, FRAGMENT, TESTED, counter, lost_options
from longhaul.machine.progress import Progress, bar, time_left


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty user's cache; the folder that longhaul would keep kernels in."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    return kernel.cache_folder()


def keep_kernel(cache: Path, release: str, recipe: str) -> Path:
    folder = cache / f"kernel-{release}-{recipe}"
    folder.mkdir(parents=True)
    return folder


def test_a_configuration_line_that_the_kernel_drops_is_named() -> None:
    fragment = (
        "# prose\nCONFIG_NET=y\nCONFIG_GONE=y\n# CONFIG_OFF is not set\n# CONFIG_ON is not set\n"
    )
    config = "CONFIG_NET=y\nCONFIG_ON=y\n"
    assert lost_options(fragment, config) == ["CONFIG_GONE=y", "# CONFIG_ON is not set"]


def test_a_configuration_that_says_all_that_was_asked_loses_nothing() -> None:
    assert lost_options(FRAGMENT.read_text(), FRAGMENT.read_text()) == []


def test_a_kernel_of_another_recipe_is_not_taken_from_the_cache(cache: Path) -> None:
    keep_kernel(cache, "7.3.4", "000000000000")
    assert kernel.cached_kernel() is None


def test_the_cache_gives_tested_releases_in_their_order_before_a_newer_one(cache: Path) -> None:
    keep_kernel(cache, "7.10.1", kernel.recipe_digest())
    for release in reversed(TESTED):
        tested = keep_kernel(cache, release, kernel.recipe_digest())
        assert kernel.cached_kernel() == tested
        assert kernel.kernel_release(tested) == release


def test_what_all_users_of_a_checkout_share_is_taken_where_a_user_has_none(
    cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shared = tmp_path / "checkout" / ".cache" / "longhaul"
    monkeypatch.setattr(kernel, "SHARED", shared)
    assert (kernel.cached_kernel(), userland.cached()) == (None, None)
    folder = keep_kernel(shared, TESTED[0], kernel.recipe_digest())
    root = shared / f"userland-{userland.digest()}"
    root.mkdir()
    assert (kernel.cached_kernel(), userland.cached()) == (folder, root)
    own = keep_kernel(cache, TESTED[0], kernel.recipe_digest())
    assert kernel.cached_kernel() == own


def test_a_kernel_in_the_cache_is_had_without_tools_or_network(
    cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = keep_kernel(cache, TESTED[0], kernel.recipe_digest())
    monkeypatch.setenv("PATH", "/nowhere")
    assert kernel.ensure_kernel() == folder


def test_a_cache_folder_that_make_cannot_build_in_is_refused_with_advice(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "my cache"))
    with pytest.raises(kernel.KernelUnavailable, match=r"no spaces or colons.*XDG_CACHE_HOME"):
        kernel.ensure_kernel()


def test_missing_build_tools_are_named_with_the_command_that_installs_them(
    cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(cache))
    with pytest.raises(kernel.KernelUnavailable, match=r"gcc.*\./setup\.sh build"):
        kernel.ensure_kernel()


def test_a_relative_cache_setting_is_ignored_as_the_standard_says(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", "somewhere")
    assert kernel.cache_folder() == Path.home() / ".cache/longhaul"


def test_a_second_builder_waits_for_the_first_and_says_so(
    cache: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    cache.mkdir(parents=True)
    program = (
        "from longhaul.machine.kernel import *\n"
        "with locked(cache_folder()): print('mine', flush=True)"
    )
    with kernel.locked(cache):
        second = subprocess.Popen(
            [sys.executable, "-c", program], stdout=subprocess.PIPE, text=True
        )
        with pytest.raises(subprocess.TimeoutExpired):
            second.wait(0.5)
    said, _ = second.communicate(timeout=300)
    assert said == "mine\n"
    assert "waiting for it" in capfd.readouterr().err


def test_a_child_dies_even_when_its_parent_is_killed_outright() -> None:
    program = (
        "from longhaul.machine.child import child\n"
        "import subprocess\n"
        "with child(['sleep', '6000'], stdout=subprocess.PIPE) as process:\n"
        "    print(process.pid, flush=True)\n"
        "    process.wait()\n"
    )
    parent = subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE, text=True)
    assert parent.stdout
    pid = int(parent.stdout.readline())
    wait_until(lambda: Path(f"/proc/{pid}/comm").read_text() == "sleep\n")
    parent.send_signal(signal.SIGKILL)
    parent.wait()
    wait_until(lambda: not runs(pid))


def runs(pid: int) -> bool:
    try:
        os.kill(pid, 0)
        return Path(f"/proc/{pid}/stat").read_text().split()[2] != "Z"
    except OSError:
        return False


def wait_until(condition: Callable[[], bool], limit_s: float = 300.0) -> None:
    deadline = time.monotonic() + limit_s
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def test_steps_are_counted_and_never_said_to_be_all_before_the_end(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    shown: list[float] = []
    progress = Progress("kernel")
    monkeypatch.setattr(progress, "update", shown.append)
    count = counter(BUILD_STEP, expected=4, progress=progress, done=1)
    for line in ["  CC      a.o", "make[1]: words", "  AR      b.a", "  LD      c", "  LINK linux"]:
        count(line)
    assert shown == [0.5, 0.75, 0.99, 0.99]


def test_a_bar_shows_title_stage_and_share() -> None:
    assert bar("kernel", "build", 0.5, "1:20 left") == (
        "kernel: build     [###############...............]  50%  1:20 left"
    )


@pytest.mark.parametrize(
    ("elapsed_s", "fraction", "text"),
    [(60, 0.25, "3:00 left"), (1, 0.01, ""), (100, 1.0, ""), (9, 0.9, "0:01 left")],
)
def test_the_time_left_is_told_once_it_can_be_known(
    elapsed_s: float, fraction: float, text: str
) -> None:
    assert time_left(elapsed_s, fraction) == text
