"""A topology without a file: `--campuses 3 --hosts 4 --distance 10mi`, as `mn --topo` has it.

In: words of the command line. Out: the YAML that they stand for, written to `runs/inputs/`; campuses are called c1, c2,
…, and each is linked with each.
"""

from __future__ import annotations

import argparse
import re
from itertools import combinations
from pathlib import Path

from longhaul.verbs.arguments import number, overrides, quantity
from scenario.errors import WrongInput
from scenario.text.digits import is_whole

MOST_CAMPUSES = 16
HOSTS, DISTANCE, RATE, ACCELERATOR, SCALE = (1,), "10mi", "400Gbit/s", ("H100",), 1000
KEYS = ("hosts_each", "distance", "age", "condition", "rate", "accelerators")
CONDITIONS = ("dry", "damp", "waterlogged")


def topology(made: argparse.ArgumentParser) -> None:
    """A topology file, or what stands for one; and `--set`."""
    made.add_argument("topology", type=Path, nargs="?", help="a topology file")
    overrides(made)
    group = made.add_argument_group("in place of a topology file")
    group.add_argument(
        "--campuses", dest="campuses", type=campuses, metavar="N",
        help=f"so many, each linked with each (1 to {MOST_CAMPUSES})",
    )  # fmt: skip
    group.add_argument(
        "--hosts", dest="hosts_each", type=counts, metavar="N[,N…]",
        help="in each campus, or campus by campus (default 1)",
    )  # fmt: skip
    group.add_argument(
        "--distance", type=spelled("distance"), metavar="LENGTH", help=f"default {DISTANCE}"
    )
    group.add_argument("--age", type=spelled("age"), metavar="YEARS", help="default 0y")
    group.add_argument("--condition", choices=CONDITIONS, help="of the duct (default dry)")
    group.add_argument("--rate", type=spelled("rate"), help=f"of each link (default {RATE})")
    group.add_argument(
        "--accelerator", dest="accelerators", type=each, metavar="NAME[,NAME…]",
        help="of all hosts, or campus by campus (default H100)",
    )  # fmt: skip
    group.add_argument(
        "--yaml", action="store_true", help="print the topology that they stand for, and end"
    )


def settle(words: argparse.Namespace) -> str | None:
    """Make a topology of the words where they name no file; returns its YAML where that is all that is asked for.
    Raises WrongInput, InvalidInput."""
    if not hasattr(words, "hosts_each"):
        return None
    given = [key for key in KEYS if getattr(words, key) is not None]
    if words.campuses is None:
        if given or words.yaml:
            raise WrongInput("--hosts, --distance and the like go with --campuses")
        if words.topology is None and not getattr(words, "reproduce", None):
            raise WrongInput("name a topology file, or say how many --campuses")
        return None
    if words.topology is not None:
        raise WrongInput(f"{words.topology} or --campuses: one of the two says what is built")
    text = topology_yaml(words)
    if words.yaml:
        return text
    from longhaul.api.inputs import Topology

    words.topology = Topology(_name(words), text=text).file()
    return None


def topology_yaml(words: argparse.Namespace) -> str:
    """The document. Raises WrongInput where lists are not as long as there are campuses."""
    count = words.campuses
    hosts = _each(words.hosts_each or HOSTS, count, "--hosts")
    chips = _each(words.accelerators or ACCELERATOR, count, "--accelerator")
    lines = ["longhaul: 1", f"name: {_name(words)}", f"scale: {{bytes: {SCALE}}}", "campuses:"]
    for index, (n, chip) in enumerate(zip(hosts, chips, strict=True), start=1):
        lines.append(f"  c{index}: {{hosts: [{{count: {n}, accelerator: {chip}}}]}}")
    if count > 1:
        link = {"distance": words.distance or DISTANCE, "rate": words.rate or RATE}
        link |= {"age": words.age} if words.age else {}
        link |= {"condition": words.condition} if words.condition else {}
        said = ", ".join(f"{key}: {value}" for key, value in link.items())
        lines += ["defaults:", f"  links: {{{said}}}", "links:"]
        ends = combinations([f"c{index}" for index in range(1, count + 1)], 2)
        lines += [f"  {a}-{b}: {{between: [{a}, {b}]}}" for a, b in ends]
    return "\n".join(lines) + "\n"


def _name(words: argparse.Namespace) -> str:
    hosts = "-".join(map(str, words.hosts_each or HOSTS))
    return f"mesh-{words.campuses}x{hosts}"[:40].rstrip("-")


def _each(given: tuple[int, ...] | tuple[str, ...], count: int, option: str) -> tuple[object, ...]:
    """One for each campus."""
    if len(given) not in (1, count):
        raise WrongInput(f"{option}: {len(given)} for {count} campuses; say one, or one for each")
    return tuple(given) * (count if len(given) == 1 else 1)


def campuses(text: str) -> int:
    """How many campuses, as argparse's `type`."""
    if not is_whole(text) or not 1 <= int(text) <= MOST_CAMPUSES:
        message = f"{text!r} is not a whole number from 1 to {MOST_CAMPUSES}"
        raise argparse.ArgumentTypeError(message)
    return int(text)


def counts(text: str) -> tuple[int, ...]:
    """Numbers of hosts, as argparse's `type`."""
    return tuple(number(word.strip()) for word in text.split(","))


def each(text: str) -> tuple[str, ...]:
    """Names of accelerators, campus by campus, as argparse's `type`; a name may come again."""
    found = tuple(word.strip() for word in text.split(","))
    if not all(re.fullmatch(r"[A-Za-z][A-Za-z0-9-]*", one) for one in found):
        raise argparse.ArgumentTypeError(f"{text!r} is not a list of names, as H100,GB200,GB200")
    return found


def spelled(name: str) -> type[str]:
    """A quantity that is checked, and kept as it was spelled, as argparse's `type`."""
    read = quantity(name)

    def check(text: str) -> str:
        read(text)
        return text.strip()

    return check  # type: ignore[return-value]
