"""Lab 3 of [[ student ]]: two algorithms in alpha and beta. Functions are called with other parameters than
yours, too."""


def ring_s(hosts: int, alpha_s: float, rate_bps: float, size_bytes: float) -> float:
    """Seconds of an all-reduce of `size_bytes` per host, round a ring."""
    raise NotImplementedError("task 1")


def doubling_s(hosts: int, alpha_s: float, rate_bps: float, size_bytes: float) -> float:
    """The same by recursive doubling; `hosts` is a power of two."""
    raise NotImplementedError("task 2")


def crossover_bytes(hosts: int, alpha_s: float, rate_bps: float) -> float:
    """The size from which on the ring is faster."""
    raise NotImplementedError("task 3")
