"""Solution of lab 11."""

PAUSE_BYTES = 84
NOTIFIED_S = 50e-6


def headroom_bytes(rate_bps: float, delay_s: float, frame_bytes: int) -> float:
    before_it_is_heard_s = 8 * (frame_bytes + PAUSE_BYTES) / rate_bps + delay_s
    return rate_bps / 8 * (before_it_is_heard_s + delay_s) + 2 * frame_bytes


def threshold_bytes(
    senders: int, rate_bps: float, buffer_bytes: float, round_trip_s: float
) -> float:
    surplus_s = (senders - 1) * (round_trip_s + NOTIFIED_S)
    halved = senders / 2
    while halved > 1:
        surplus_s += (halved - 1) * NOTIFIED_S
        halved /= 2
    return (buffer_bytes * 8 / 9 - rate_bps / 8 * surplus_s) / senders
