"""Solution of lab 1."""

SECONDS_PER_KM = {"fibre": 1.468 / 299_792.458, "hollow-core": 1.003 / 299_792.458}


def round_trip_s(distance_km: float, medium: str) -> float:
    return 2 * distance_km * SECONDS_PER_KM[medium]


def distance_km_of_ten_percent(rate_bps: float, size_bytes: float) -> float:
    """S/B without distance; each of the two steps waits for one delay more."""
    return 0.1 * size_bytes * 8 / rate_bps / (2 * SECONDS_PER_KM["fibre"])
