"""The language of workloads: training, inference, background load, probes and traces."""
