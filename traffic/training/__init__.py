"""Training as a kind of workload, in its strategies."""
