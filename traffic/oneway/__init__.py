"""Probes: numbered, time-stamped datagrams over long-haul links while a workload runs (RFC 7679, 7680)."""
