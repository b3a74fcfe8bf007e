"""Lab 11 of [[ student ]]: headroom of a lossless class. Called with other cables than yours, too."""


def headroom_bytes(rate_bps: float, delay_s: float, frame_bytes: int) -> float:
    """Bytes that may still come in after a pause was asked for.

    Both ends send at `rate_bps`, the cable takes `delay_s` one way, no frame is larger than `frame_bytes`;
    a pause takes 84 bytes on the wire.
    """
    raise NotImplementedError("task 1")
