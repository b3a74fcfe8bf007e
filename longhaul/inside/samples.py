"""The files of what is sampled in a guest, and what the numbers in their rows are (telemetry.py writes them)."""

RAW = "telemetry.bin"
AGAIN_RAW = "retransmissions.bin"
FIELDS = (
    "t_ns", "index", "tx_bytes", "tx_packets", "rx_bytes", "rx_packets", "drops",
    "queue_packets", "queue_bytes", "marked", "paused_ns",
)  # fmt: skip
AGAIN_FIELDS = (
    "since_ns", "t_ns", "host", "port", "peer", "peer_port", "again", "window", "round_trip_us",
)  # fmt: skip
