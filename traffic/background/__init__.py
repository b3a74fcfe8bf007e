"""Background load: paced traffic of other people, beside a workload."""
