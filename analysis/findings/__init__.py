"""Findings of one run: each a function of its tables."""
