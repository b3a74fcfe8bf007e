"""Solution of lab 3."""

from math import log2


def ring_s(hosts: int, alpha_s: float, rate_bps: float, size_bytes: float) -> float:
    return 2 * (hosts - 1) * alpha_s + 2 * (hosts - 1) / hosts * size_bytes * 8 / rate_bps


def doubling_s(hosts: int, alpha_s: float, rate_bps: float, size_bytes: float) -> float:
    return log2(hosts) * (alpha_s + size_bytes * 8 / rate_bps)


def crossover_bytes(hosts: int, alpha_s: float, rate_bps: float) -> float:
    steps, bytes_ = 2 * (hosts - 1) - log2(hosts), log2(hosts) - 2 * (hosts - 1) / hosts
    return steps * alpha_s / (bytes_ * 8 / rate_bps)
