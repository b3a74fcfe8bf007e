"""What the tests of RDMA share."""

from tests.run.conftest import kernel

__all__ = ["kernel"]
