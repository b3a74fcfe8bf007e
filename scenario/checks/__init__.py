"""The language of `checks`: what must hold of a run of a topology, or of a workload."""
