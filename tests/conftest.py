"""What all tests share: the kernel, Hypothesis without a clock, the order, what they cost, and what has been left out.

A reason to skip is written `what is missing: command that mends it`. A test is slow that takes more than SLOW_S of
CPU, the runs included that it is the first to ask for; so are all others that need such a run.
"""

import os
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
from hypothesis import settings

from longhaul.machine.kernel import cached_kernel

SLOW_S = 6.0
_began = pytest.StashKey[float]()
_left_out = pytest.StashKey[int]()

# How long an example takes says more about the machine's other work than about the code.
settings.register_profile("no-deadline", deadline=None)
settings.load_profile("no-deadline")


@pytest.fixture(scope="session")
def kernel() -> Path:
    """The virtual-time kernel, for the tests that need one."""
    folder = cached_kernel()
    if not folder:
        pytest.skip("no virtual-time kernel: ./setup.sh kernel")
    return folder


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Files with slow tests first, then those with guests: at the end, short ones keep all cores busy."""
    slow = Counter(item.path for item in items if item.get_closest_marker("slow"))
    guests = {item.path for item in items if "kernel" in getattr(item, "fixturenames", ())}
    items.sort(key=lambda item: (-slow[item.path], item.path not in guests))


def _cpu_s() -> float:
    """What this process has used, and those that it has waited for."""
    return sum(os.times()[:4])


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item: pytest.Item) -> None:
    item.stash[_began] = _cpu_s()


@pytest.hookimpl(trylast=True)
def pytest_runtest_teardown(item: pytest.Item) -> None:
    item.user_properties.append(("cpu_s", round(_cpu_s() - item.stash[_began], 1)))
    item.user_properties.append(("slow", item.get_closest_marker("slow") is not None))


def pytest_deselected(items: Sequence[pytest.Item]) -> None:
    slow = [item for item in items if item.get_closest_marker("slow")]
    if slow:
        config = slow[0].config
        config.stash[_left_out] = config.stash.get(_left_out, 0) + len(slow)


def pytest_sessionfinish(session: pytest.Session) -> None:
    """Of a worker: what it has left out, for the one that it works for."""
    if hasattr(session.config, "workeroutput"):
        session.config.workeroutput["left out"] = session.config.stash.get(_left_out, 0)


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: Any) -> None:
    """Every worker has collected, and left out, the same."""
    node.config.stash[_left_out] = getattr(node, "workeroutput", {}).get("left out", 0)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """What has been left out, what should be, and what has been skipped and what mends it."""
    if left_out := terminalreporter.config.stash.get(_left_out, 0):
        terminalreporter.section("left out")
        terminalreporter.write_line(f"{left_out} slow tests; all of them: make test-all")
    if costly := sorted(_costly(terminalreporter), reverse=True):
        terminalreporter.section(f"over {SLOW_S:g} s of CPU, and not marked slow")
        for cpu_s, name in costly:
            terminalreporter.write_line(f"{cpu_s:6.1f} s  {name}")
    _say_skipped(terminalreporter)


def _costly(terminalreporter: pytest.TerminalReporter) -> Iterator[tuple[float, str]]:
    for report in terminalreporter.stats.get("", []):
        found = dict(report.user_properties)
        if report.when == "teardown" and found["cpu_s"] > SLOW_S and not found["slow"]:
            yield found["cpu_s"], report.nodeid


def _say_skipped(terminalreporter: pytest.TerminalReporter) -> None:
    reports = terminalreporter.stats.get("skipped", [])
    reasons = Counter(report.longrepr[2].removeprefix("Skipped: ") for report in reports)
    if reasons:
        terminalreporter.section("skipped, and what mends it")
    for reason, count in sorted(reasons.items()):
        what, _, command = reason.partition(": ")
        terminalreporter.write_line(f"{count:4d}  {what:40s}  {command}".rstrip())
