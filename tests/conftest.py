"""What all tests share: the kernel, Hypothesis without a clock, the order, and what has been skipped.

A reason to skip is written `what is missing: command that mends it`.
"""

from collections import Counter
from pathlib import Path

import pytest
from hypothesis import settings

from longhaul.machine.kernel import cached_kernel

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
    """Files with guests first: at the end, short ones keep all cores busy."""
    guests = {item.path for item in items if "kernel" in getattr(item, "fixturenames", ())}
    items.sort(key=lambda item: item.path not in guests)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """What has been skipped, and what mends it."""
    reports = terminalreporter.stats.get("skipped", [])
    reasons = Counter(report.longrepr[2].removeprefix("Skipped: ") for report in reports)
    if reasons:
        terminalreporter.section("skipped, and what mends it")
    for reason, count in sorted(reasons.items()):
        what, _, command = reason.partition(": ")
        terminalreporter.write_line(f"{count:4d}  {what:40s}  {command}".rstrip())
