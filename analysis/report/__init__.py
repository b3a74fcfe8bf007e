"""Findings as self-contained HTML pages."""
