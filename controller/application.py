"""Somebody's own application, from a file: written for os-ken, or for Ryu, whose names os-ken kept."""

from __future__ import annotations

import importlib
import importlib.util
import inspect
import sys
from collections.abc import Sequence
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec
from pathlib import Path
from types import ModuleType

from controller.base import APPLICATION
from scenario.errors import WrongInput

RYU, OS_KEN = "ryu", "os_ken"


class ApplicationError(WrongInput):
    """A file is no application; the text says why."""


class RyuNames(MetaPathFinder, Loader):
    """Lets `import ryu.…` find os-ken's modules. What os-ken has dropped is still missing."""

    def find_spec(
        self,
        fullname: str,
        path: Sequence[str] | None = None,  # noqa: ARG002 (importlib's)
        target: ModuleType | None = None,  # noqa: ARG002
    ) -> ModuleSpec | None:
        """A spec for `ryu` and all below it that os-ken has."""
        if fullname.partition(".")[0] != RYU:
            return None
        there = importlib.util.find_spec(OS_KEN + fullname.removeprefix(RYU))
        return ModuleSpec(fullname, self, is_package=True) if there else None

    def create_module(self, spec: ModuleSpec) -> ModuleType:
        """A module of the Ryu name, with all that os-ken's has."""
        return ModuleType(spec.name)

    def exec_module(self, module: ModuleType) -> None:
        """Fill it."""
        real = importlib.import_module(OS_KEN + module.__name__.removeprefix(RYU))
        own = {"__name__", "__spec__", "__loader__", "__package__", "__path__"}
        module.__dict__.update({k: v for k, v in vars(real).items() if k not in own})


def load(file: Path, beside: Path) -> str:
    """Import a file, which may import others from the folder `beside`; the name of its module.

    Raises ApplicationError where there is no application in it, and whatever the file itself raises.
    """
    spec = importlib.util.spec_from_file_location(file.stem, file)
    if spec is None or spec.loader is None:
        raise ApplicationError(f"{file} is no Python file")
    sys.meta_path.insert(0, RyuNames())
    sys.path.insert(0, str(beside))
    module = importlib.util.module_from_spec(spec)
    sys.modules[file.stem] = module
    spec.loader.exec_module(module)
    if not any(_is_application(cls, file.stem) for cls in vars(module).values()):
        raise ApplicationError(f"{file} has no class of OSKenApp's (RyuApp's) kind")
    return file.stem


def _is_application(candidate: object, module: str) -> bool:
    if not inspect.isclass(candidate) or candidate.__module__ != module:
        return False
    return issubclass(candidate, APPLICATION)
