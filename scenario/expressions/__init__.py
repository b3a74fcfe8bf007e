"""Expressions of constraints, verdicts and `--fail-if`: terms, how they are read, what may stand beside what."""
