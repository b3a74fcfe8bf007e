"""Every lab's picture, made anew by the commands of its own README: `python -m longhaul.labs.pictures`.

In: the lines of a README that end in `picture.svg`. Out: `labs/NN-name/picture.svg`.
"""

from __future__ import annotations

import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

from longhaul.aside import aside
from longhaul.labs import draws
from longhaul.labs.catalogue import Lab, labs
from longhaul.labs.folders import new

NAME = "picture.svg"
WHO = "picture"


def made(one: Lab) -> Path:
    """Carry out the commands that make a lab's picture."""
    text = (one.folder / "README.md").read_text(encoding="utf-8")
    lines = re.findall(rf"^longhaul (.* {re.escape(NAME)})$", text, re.M)
    with aside() as folder:
        own = folder / "own"
        new(one, own, WHO, draws.PUBLIC)
        for line in lines:
            carry_out(line, own)
        return Path(shutil.copyfile(own / NAME, one.folder / NAME))


def carry_out(line: str, folder: Path) -> None:
    """A command of a README, with what it prints where it says."""
    words, _, out = line.partition(" > ")
    command = [sys.executable, "-P", "-m", "longhaul", *shlex.split(words)]
    said = subprocess.run(command, cwd=folder, check=True, capture_output=bool(out), text=True)
    if out:
        (folder / out.strip()).write_text(said.stdout)


if __name__ == "__main__":
    for lab in labs().values():
        print(made(lab))
