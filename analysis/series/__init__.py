"""Findings of many runs: attribution, comparison, intervals."""
