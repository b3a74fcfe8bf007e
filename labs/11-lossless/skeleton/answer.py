"""Lab 11 of [[ student ]]: headroom of a lossless class, ECN threshold of an incast. Called with other
networks than yours, too."""


def headroom_bytes(rate_bps: float, delay_s: float, frame_bytes: int) -> float:
    """Bytes that may still come in after a pause was asked for.

    Both ends send at `rate_bps`, the cable takes `delay_s` one way, no frame is larger than `frame_bytes`;
    a pause takes 84 bytes on the wire.
    """
    raise NotImplementedError("task 1")


def threshold_bytes(
    senders: int, rate_bps: float, buffer_bytes: float, round_trip_s: float
) -> float:
    """The greatest queue without marks with which an incast stays within the buffer.

    All senders and the receiver have `rate_bps`; DCQCN halves rates every 50 µs at first; one queue may take
    8/9 of the buffer.
    """
    raise NotImplementedError("task 2")
