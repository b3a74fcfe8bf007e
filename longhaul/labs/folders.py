"""A student's folder: made from a lab's skeleton with what was drawn, and packed to be handed in."""

from __future__ import annotations

import lzma
import shutil
import zipfile
import zlib
from pathlib import Path

import jinja2
import yaml

from longhaul.folder import Unwritable
from longhaul.labs import draws
from longhaul.labs.attempt import MOST_FILE_BYTES
from longhaul.labs.catalogue import Lab
from longhaul.labs.draws import Drawn
from longhaul.labs.marking import OWN, exercise, fair, owned, ownership
from scenario.errors import WrongInput

SHOWN = ("README.md", "picture.svg")
MOST_FILES = 200
MOST_ARCHIVE_BYTES = 50_000_000
UNREADABLE = (
    OSError, EOFError, zipfile.BadZipFile, zlib.error, lzma.LZMAError, NotImplementedError, RuntimeError, ValueError,
)  # fmt: skip
"""What zipfile raises for archives that are damaged, encrypted, or packed in ways that it does not know."""
TEMPLATES = (".py", ".yaml", ".md", ".ipynb")


class HandedIn(WrongInput):
    """What was handed in cannot be unpacked; the text says what is wrong with it."""


def new(one: Lab, folder: Path, who: str, key: bytes) -> Drawn:
    """Make a student's folder. Raises WrongInput where it is not free."""
    drawn = draws.drawn(one, key, draws.student(who), fair(one))
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise WrongInput(f"{folder} is not empty: name another folder")
    try:
        folder.mkdir(parents=True, exist_ok=True)
        fill(one, folder, who, drawn)
    except OSError as error:
        raise Unwritable(folder, error) from None
    return drawn


def fill(one: Lab, folder: Path, who: str, drawn: Drawn) -> None:
    """Put the skeleton, the lab's text and what was drawn into a folder."""
    own = ownership(one, who, drawn)
    (folder / OWN).write_text(yaml.safe_dump(own, sort_keys=False))
    for name in SHOWN:
        if (one.folder / name).is_file():
            shutil.copyfile(one.folder / name, folder / name)
    for path in sorted(one.skeleton.rglob("*")):
        there = folder / path.relative_to(one.skeleton)
        if path.is_dir() or "__pycache__" in path.parts:
            continue
        there.parent.mkdir(parents=True, exist_ok=True)
        there.write_text(
            written(path, drawn, who) if path.suffix in TEMPLATES else path.read_text()
        )
    prepare = getattr(exercise(one), "prepare", None)
    if prepare:
        prepare(folder, drawn)


def written(path: Path, drawn: Drawn, who: str) -> str:
    """A file of a skeleton, with what was drawn in it: `[[ distance_km ]]`."""
    environment = jinja2.Environment(
        variable_start_string="[[",
        variable_end_string="]]",
        block_start_string="[%",
        block_end_string="%]",
        comment_start_string="[#",
        comment_end_string="#]",
        undefined=jinja2.StrictUndefined,
        keep_trailing_newline=True,
        autoescape=False,
    )
    return environment.from_string(path.read_text(encoding="utf-8")).render(**drawn, student=who)


def pack(folder: Path, one: Lab, out: Path | None) -> Path:
    """What a student hands in, as one zip file. Raises WrongInput where a file is missing."""
    own = owned(folder)
    archive = out or folder / f"lab-{one.number:02}-{own.student}.zip"
    missing = [name for name in one.sheet.hand_in if not (folder / name).is_file()]
    if missing:
        raise WrongInput(f"{folder}: {', '.join(missing)} must be handed in, and is not there")
    try:
        with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as packed:
            for name in (OWN, *one.sheet.hand_in):
                packed.write(folder / name, name)
    except OSError as error:
        raise Unwritable(archive, error) from None
    return archive


def taken_in(path: Path, folder: Path) -> None:
    """Put the files of what was handed in, a zip file or a folder, into a folder. Raises HandedIn."""
    if path.is_symlink() or not (path.is_dir() or path.is_file()):
        raise HandedIn(f"{path} is neither a zip file nor a folder")
    if path.is_dir():
        _copied(path, folder)
    elif path.stat().st_size > MOST_ARCHIVE_BYTES:
        raise HandedIn(f"{path} is larger than {MOST_ARCHIVE_BYTES} bytes")
    else:
        unpack(path, folder)


def _copied(handed: Path, folder: Path) -> None:
    """The files of a folder itself: nothing that is linked to, nothing special, nothing large."""
    for path in sorted(handed.iterdir())[:MOST_FILES]:
        if path.is_symlink() or not path.is_file() or path.name.startswith("."):
            continue
        if path.stat().st_size > MOST_FILE_BYTES:
            raise HandedIn(f"{handed}: {path.name} is larger than {MOST_FILE_BYTES} bytes")
        shutil.copyfile(path, folder / path.name)


def unpack(archive: Path, folder: Path) -> None:
    """The files of what was handed in, by their bare names: no path of the archive is believed, nothing large is
    read. Raises HandedIn."""
    try:
        with zipfile.ZipFile(archive) as packed:
            for entry in packed.infolist()[:MOST_FILES]:
                name = Path(entry.filename).name
                if entry.is_dir() or not name or name.startswith("."):
                    continue
                with packed.open(entry) as file:
                    data = file.read(MOST_FILE_BYTES + 1)
                if len(data) > MOST_FILE_BYTES:
                    raise HandedIn(f"{archive}: {name} is larger than {MOST_FILE_BYTES} bytes")
                (folder / name).write_bytes(data)
    except UNREADABLE as error:
        raise HandedIn(f"{archive}: no zip file that can be read: {error}") from None
