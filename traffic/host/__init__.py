"""What runs inside a host, on the standard library alone: hundreds of these processes start per run."""
