"""How a run says that it cannot go on."""

from __future__ import annotations


class Stopped(Exception):
    """The run cannot go on; the text says why, for the person who reads it."""
