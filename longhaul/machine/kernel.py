"""The virtual-time kernel: built from Debian's kernel source once per user, then kept in the cache.

    python3 -m longhaul.machine.kernel      build it if need be, and print the folder that holds it

The folder holds `linux` (User-Mode Linux: a kernel that runs as an ordinary program) and `built.json` (where
it came from). No root is needed. An interrupted
build goes on where it stopped. Standard library only: it runs before the project's .venv exists.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import platform
import re
import shutil
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from longhaul.machine import bundle
from longhaul.machine.debian import Merit, SourceUnavailable, merit
from longhaul.machine.kernel_build import INGREDIENTS, TESTED, BuildFailed, build_kernel
from longhaul.machine.progress import Progress
from scenario.errors import LonghaulError

BUILDER = 1  # raise it when the result changes though none of the ingredients does
TOOLS = "apt-get bc bison dpkg-deb flex gcc make patch setpriv tar xz".split()
SHARED = Path(__file__).parents[2] / ".cache" / "longhaul"
"""What all users of a checkout share: whoever set it up had XDG_CACHE_HOME be `.cache` in it. Only read here."""
ROOM_BYTES = 3e9  # the source with its objects takes 1.9 GB, its package and archive 0.4 GB


class KernelUnavailable(LonghaulError):
    """There is no virtual-time kernel and none can be made; the message says why, and what to do."""


def ensure_kernel() -> Path:
    """The folder with `linux`, made first where there is none.

    Raises KernelUnavailable.
    """
    if ready := bundle.kernel() or cached_kernel():
        return ready
    cache = cache_folder()
    require_means(cache)
    with locked(cache), Progress("virtual-time kernel") as progress:
        return cached_kernel() or made_kernel(cache, progress)


def cached_kernel() -> Path | None:
    """The folder of a kernel made by just this recipe, if there is one; takes about a millisecond."""
    name = f"kernel-*-{recipe_digest()}"
    folders = [found for cache in (cache_folder(), SHARED) for found in cache.glob(name)]
    return max(folders, key=_merit, default=None)


def kernel_release(folder: Path) -> str:
    """The release of the kernel in a cached folder, as `7.3.4`."""
    return folder.name.split("-")[1]


def cache_folder() -> Path:
    """`longhaul` in the user's cache: $XDG_CACHE_HOME, else ~/.cache."""
    base = os.environ.get("XDG_CACHE_HOME", "")
    return (Path(base) if base.startswith("/") else Path.home() / ".cache") / "longhaul"


def recipe_digest() -> str:
    """Twelve hexadecimal digits that change with anything that the result depends on, bar the source.

    The C library is in it so that machines of different age can share one home.
    """
    recipe = hashlib.sha256()
    for ingredient in INGREDIENTS:
        recipe.update(ingredient.read_bytes())
    recipe.update(f"{BUILDER} {os.confstr('CS_GNU_LIBC_VERSION')}".encode())
    return recipe.hexdigest()[:12]


def patches_digest() -> str:
    """Sixteen hexadecimal digits of what a kernel is made with beside its source: configuration and patches."""
    return hashlib.sha256(b"".join(one.read_bytes() for one in INGREDIENTS)).hexdigest()[:16]


def _merit(folder: Path) -> Merit:
    return merit(kernel_release(folder), TESTED)


def made_kernel(cache: Path, progress: Progress) -> Path:
    """Build a kernel in the cache's work folder, which goes when all is well. Raises KernelUnavailable."""
    try:
        return build_kernel(cache, recipe_digest(), progress)
    except (BuildFailed, SourceUnavailable) as error:
        raise KernelUnavailable(str(error)) from error


def require_means(cache: Path) -> None:
    """Raise KernelUnavailable where the build could only fail; make the cache folder."""
    if platform.machine() != "x86_64":
        raise KernelUnavailable(
            f"the virtual-time kernel is for x86-64 only, not {platform.machine()}"
        )
    if missing := [tool for tool in TOOLS if not shutil.which(tool)]:
        raise KernelUnavailable(
            f"{', '.join(missing)} not found; ./setup.sh build installs what is missing"
        )
    if not re.fullmatch(r"[\w./+~-]+", str(cache)):
        raise KernelUnavailable(
            f"a kernel cannot be built under {str(cache)!r}: make takes no spaces or colons in a path. "
            "Set XDG_CACHE_HOME to a plainer folder"
        )
    try:
        cache.mkdir(parents=True, exist_ok=True)
        room_bytes = shutil.disk_usage(cache).free
    except OSError as error:
        raise KernelUnavailable(f"no cache folder: {error}") from error
    if room_bytes < ROOM_BYTES and not (cache / "work").exists():
        raise KernelUnavailable(
            f"building the kernel takes {ROOM_BYTES / 1e9:.0f} GB for a while; {cache} has {room_bytes / 1e9:.1f}. "
            "Make room, or set XDG_CACHE_HOME to a folder on a larger disk"
        )


@contextmanager
def locked(cache: Path) -> Iterator[None]:
    """Hold the cache for one builder; wait, and say so, while another one has it."""
    with (cache / "lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            print(
                "Another set-up is building the virtual-time kernel: waiting for it",
                file=sys.stderr,
            )
            fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _interrupt(*_: object) -> None:
    raise KeyboardInterrupt


def main() -> int:
    """Make the kernel available and print its folder; 1 if that cannot be, 130 if interrupted."""
    signal.signal(signal.SIGTERM, _interrupt)
    try:
        print(ensure_kernel())
    except KernelUnavailable as error:
        print(f"setup: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("Interrupted. The same command goes on from here.", file=sys.stderr)
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(main())
