"""What the tests of the controller share."""

from pathlib import Path

import pytest

from longhaul.machine.kernel import cached_kernel


@pytest.fixture(scope="session")
def kernel() -> Path:
    """The virtual-time kernel, for the tests that need one."""
    folder = cached_kernel()
    if not folder:
        pytest.skip("no virtual-time kernel: ./setup.sh kernel")
    return folder
