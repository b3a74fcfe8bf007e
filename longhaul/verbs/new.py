"""`longhaul new`: a commented file to start from."""

from __future__ import annotations

import argparse
import re
from pathlib import Path

from longhaul.verbs.arguments import Verbs, verb
from scenario.errors import WrongInput

KINDS = ("topology", "workload", "study")


def add(verbs: Verbs) -> None:
    """The verb and its arguments."""
    made = verb(
        verbs, "new", new, "write a commented topology, workload or study to start from",
        "longhaul new topology -o mine.yaml",
    )  # fmt: skip
    made.add_argument("kind", choices=KINDS)
    made.add_argument("-o", "--out", type=Path, metavar="FILE", help="where (default: <kind>.yaml)")


def new(words: argparse.Namespace) -> int:
    """Write the file; one that is there already is left as it is. Raises WrongInput, Unwritable."""
    from longhaul.folder import Unwritable

    file: Path = words.out or Path(f"{words.kind}.yaml")
    try:
        with file.open("x", encoding="utf-8") as out:
            out.write(starter(words.kind, file))
    except FileExistsError:
        raise WrongInput(f"{file} is there already: name another file with -o") from None
    except OSError as error:
        raise Unwritable(file, error) from None
    print(f"wrote {file}: longhaul validate {file}")
    return 0


def starter(kind: str, file: Path) -> str:
    """The text of a file that begins a topology, a workload or a study."""
    text = (Path(__file__).parents[1] / "starters" / f"{kind}.yaml").read_text(encoding="utf-8")
    name = re.sub(r"[^a-z0-9]+", "-", file.stem.lower()).strip("-")[:40]
    if not re.match("[a-z]", name):
        name = f"my-{kind}"
    return text.replace("{name}", name).replace("{file}", str(file))
