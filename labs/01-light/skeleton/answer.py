"""Lab 1 of [[ student ]]: what distance costs. Both functions are called with other parameters than yours, too."""


def round_trip_s(distance_km: float, medium: str) -> float:
    """Seconds from one end of a link to the other and back; `medium` is "fibre" or "hollow-core"."""
    raise NotImplementedError("task 1")


def distance_km_of_ten_percent(rate_bps: float, size_bytes: float) -> float:
    """At how many kilometres of fibre an all-reduce of two hosts takes a tenth longer than at no distance.

    The link carries `rate_bps`, the ring sums `size_bytes` per host.
    """
    raise NotImplementedError("task 2")
