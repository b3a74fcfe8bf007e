"""Traces of real training, as workloads: files of several formats in, one form of them all out.

`reading.read` takes Chakra, PyTorch and ASTRA-sim files to a `form.Trace`; `storing` keeps one beside a
workload file; `mapping` puts its ranks onto hosts. docs/traces.md says what of a file is kept.
"""
