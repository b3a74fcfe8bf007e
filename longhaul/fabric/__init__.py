"""A plan becomes a running Mininet network.

The folder shares its name with a function of the API: `longhaul.fabric(topology)` is `longhaul.api.live.fabric`, also
when this folder has been imported before, and so stands under that name.
"""

from __future__ import annotations

import sys
from importlib import import_module
from types import ModuleType
from typing import Any

API = "longhaul.api.live"


class _Folder(ModuleType):
    """This folder, callable."""

    def __call__(self, *arguments: Any, **options: Any) -> Any:
        """As the API's; found by name, as nothing in this folder imports what stands above it."""
        return import_module(API).fabric(*arguments, **options)


sys.modules[__name__].__class__ = _Folder
