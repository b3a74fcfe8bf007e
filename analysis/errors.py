"""What is wrong with what analysis was given to read."""

from __future__ import annotations

from scenario.errors import WrongInput


class RunError(WrongInput):
    """A run folder that cannot be analysed. The message says what is missing or wrong, where."""
