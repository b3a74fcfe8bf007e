"""Solution of lab 11."""

PAUSE_BYTES = 84


def headroom_bytes(rate_bps: float, delay_s: float, frame_bytes: int) -> float:
    before_it_is_heard_s = 8 * (frame_bytes + PAUSE_BYTES) / rate_bps + delay_s
    return rate_bps / 8 * (before_it_is_heard_s + delay_s) + 2 * frame_bytes
