"""What may still come after a lossless class has been told to stop. Pure."""

from __future__ import annotations

from scenario.plan.types import Shape

PAUSE_FRAME_BYTES = 84


def headroom_bytes(pausing: Shape, paused: Shape, frame_bytes: int) -> float:
    """What the other side sends while the pause waits for a frame to pass, is sent and travels; what then is under
    way; the frame that it has begun, and the one that went beyond XOFF. [IEEE 802.1Qbb, annex O]"""
    return travelling_bytes(pausing, paused) + frames_bytes(pausing, paused, frame_bytes)


def travelling_bytes(pausing: Shape, paused: Shape) -> float:
    """Of it, what the length of the cable brings: it shrinks with the rates."""
    return paused.rate_bps / 8 * (pausing.delay_s + paused.delay_s)


def frames_bytes(pausing: Shape, paused: Shape, frame_bytes: int) -> float:
    """Of it, what is there as packets come whole: it stays as it is whatever the rates."""
    return paused.rate_bps / pausing.rate_bps * (frame_bytes + PAUSE_FRAME_BYTES) + 2 * frame_bytes
