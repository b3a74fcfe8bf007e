"""What the API's tests share."""

from pathlib import Path

import pytest

from longhaul.machine.kernel import cached_kernel


@pytest.fixture(scope="session")
def kernel() -> Path:
    """The virtual-time kernel; without one, tests that need it are skipped."""
    found = cached_kernel()
    if found is None:
        pytest.skip("no virtual-time kernel here")
    return found
