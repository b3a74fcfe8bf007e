"""What the tests of RDMA share."""

from tests.run.conftest import kernel  # noqa: F401 (a fixture)
