"""A plan becomes a running Mininet network, inside a guest or on this kernel."""
