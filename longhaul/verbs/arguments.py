"""Arguments and habits that several verbs share."""

from __future__ import annotations

import argparse
import math
import os
import sys
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

from longhaul.machine import MACHINES, PATIENCE_S, ROOTS
from longhaul.machine.exposure import THE_GUESTS
from scenario.text.digits import is_whole

if TYPE_CHECKING:
    from longhaul.runs.workloads import Chosen

Verb = Callable[[argparse.Namespace], int]
Verbs: TypeAlias = "argparse._SubParsersAction[argparse.ArgumentParser]"
SEEDS = 2**64
MOST = 1000
PROBE_INTERVAL_S = 0.01
SNAP_BYTES, LEAST_SNAP, MOST_SNAP = 96, 14, 9230  # an Ethernet header; a frame of the largest MTU


def verb(verbs: Verbs, name: str, do: Verb, what: str, example: str) -> argparse.ArgumentParser:
    """A verb's own parser: `what` it does, in a few words, and an example."""
    made = verbs.add_parser(
        name,
        help=f"{what}, e.g. {example}",
        description=f"{what[0].upper()}{what[1:]}.",
        epilog=f"example: {example}",
    )
    made.set_defaults(verb=do)
    made.add_argument(
        "-q", "--quiet", action="store_true",
        help="no progress on standard error",
    )  # fmt: skip
    return made


def overrides(made: argparse.ArgumentParser) -> None:
    """`--set`."""
    made.add_argument(
        "--set",
        dest="overrides",
        action="append",
        default=[],
        metavar="PATH=VALUE",
        help="override a value of the file, as links.c1-c2.age=20y",
    )


def where(made: argparse.ArgumentParser, times: Sequence[str]) -> None:
    """Seed, time, machine, CPU."""
    made.add_argument("--seed", type=seed, default=1, help="of all randomness (default 1)")
    made.add_argument("--time", choices=times, default=times[0], help=f"default {times[0]}")
    made.add_argument("--machine", choices=MACHINES, default="auto", help="default auto")
    made.add_argument(
        "--cpu", type=cpu, help="the CPU to pin a guest to (default: one that no other guest has)"
    )


def workloads(made: argparse.ArgumentParser) -> None:
    """`--workload` and `--set-workload`."""
    made.add_argument(
        "--workload", dest="workloads", type=workload, action="append", default=[],
        metavar="FILE[@WHERE,…]", help="a workload file, and the campuses or hosts that it runs on; "
        "may be said several times (default: the topology's own, else one training step)",
    )  # fmt: skip
    made.add_argument(
        "--set-workload", dest="workload_overrides", action="append", default=[],
        metavar="[NAME:]PATH=VALUE", help="override a value of the workload (of several, the one of that "
        "name), as iterations=3",
    )  # fmt: skip


def memory(made: argparse.ArgumentParser) -> None:
    """`--memory`."""
    made.add_argument(
        "--memory", dest="memory_bytes", type=guest_memory, metavar="SIZE",
        help="of the guest, as 4GB (default: by the number of hosts, or by what is on the long-haul links at once; for "
        "your own programs three quarters of what is free)",
    )  # fmt: skip


def root(made: argparse.ArgumentParser) -> None:
    """`--root`."""
    made.add_argument(
        "--root", choices=ROOTS, default=ROOTS[0],
        help="the guest's root file system: this system's software, or Debian's packages of its own, the same "
        "on every machine (default: its own, once it is made; programs of yours see this system)",
    )  # fmt: skip


def exposed(made: argparse.ArgumentParser) -> None:
    """`--expose`."""
    made.add_argument(
        "--expose", dest="exposed", action="append", default=[], metavar="PATH", type=exposable,
        help="have the guest see this file or folder too, read-only (the current folder it sees anyway)",
    )  # fmt: skip


def controller(made: argparse.ArgumentParser) -> None:
    """Somebody's own controller; or ours, and its API."""
    either = made.add_mutually_exclusive_group()
    either.add_argument(
        "--controller", type=application, metavar="FILE",
        help="an os-ken or Ryu application to control the switches, in place of longhaul's",
    )  # fmt: skip
    either.add_argument(
        "--rest", action="store_true",
        help="have the controller answer at http://127.0.0.1:8080/v1/topology where the fabric runs",
    )  # fmt: skip


def probes(made: argparse.ArgumentParser) -> None:
    """Probes beside the workload."""
    made.add_argument(
        "--probe", type=names, default=(), metavar="LINK,…",
        help="measure one-way delay, loss and reordering of these long-haul links (* stands for any)",
    )  # fmt: skip
    made.add_argument(
        "--probe-interval", type=quantity("duration"), default=PROBE_INTERVAL_S, metavar="TIME",
        help="from one probe to the next, per direction (default 10ms)",
    )  # fmt: skip


def capture(made: argparse.ArgumentParser) -> None:
    """Packet capture."""
    made.add_argument(
        "--capture", type=names, default=(), metavar="LINK,…",
        help="write the frames of these links (a host's link has its name; * stands for any) to "
        "captures/<link>.pcapng",
    )  # fmt: skip
    made.add_argument(
        "--capture-bytes", type=frame_bytes, default=SNAP_BYTES, metavar="BYTES",
        help=f"of each frame (default {SNAP_BYTES}: its headers)",
    )  # fmt: skip


def patience(made: argparse.ArgumentParser, without: str) -> None:
    """How long to wait for a sign of life."""
    made.add_argument(
        "--patience", type=seconds, default=PATIENCE_S, metavar="SECONDS",
        help=f"wall time without {without} after which it is given up (default {PATIENCE_S:g})",
    )  # fmt: skip


def conditions(made: argparse.ArgumentParser, document: str) -> None:
    """`--fail-if` and `--junit`."""
    made.add_argument(
        "--fail-if", dest="fail_if", action="append", default=[], metavar="CONDITION",
        help=f"end with 1 where a figure of {document} is so, as 'iterations.p50_s > 3s'; may be said several times",
    )  # fmt: skip
    made.add_argument(
        "--junit", type=Path, metavar="FILE", help="write what failed and what did not as JUnit XML"
    )


def seed(text: str) -> int:
    """A seed, as argparse's `type`."""
    if not is_whole(text) or int(text) >= SEEDS:
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number from 0 to 2^64 - 1")
    return int(text)


def seconds(text: str) -> float:
    """A time that passes, as argparse's `type`."""
    try:
        found = float(text)
    except ValueError:
        found = math.nan
    if not 0 < found < math.inf:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number of seconds above 0")
    return found


def number(text: str) -> int:
    """A count from 1 on, as argparse's `type`."""
    if not is_whole(text) or not 1 <= int(text) <= MOST:
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number from 1 to {MOST}")
    return int(text)


def frame_bytes(text: str) -> int:
    """How much of a frame, as argparse's `type`."""
    if not is_whole(text) or not LEAST_SNAP <= int(text) <= MOST_SNAP:
        raise argparse.ArgumentTypeError(
            f"{text!r} is not a whole number from {LEAST_SNAP} to {MOST_SNAP}"
        )
    return int(text)


def cpu(text: str) -> int:
    """One of the CPUs that we may use, as argparse's `type`."""
    allowed = os.sched_getaffinity(0)
    if not is_whole(text) or int(text) not in allowed:
        raise argparse.ArgumentTypeError(
            f"{text!r} is none of this process's CPUs {sorted(allowed)}"
        )
    return int(text)


def names(text: str) -> tuple[str, ...]:
    """Names separated by commas, as argparse's `type`."""
    found = tuple(name.strip() for name in text.split(","))
    if not all(found):
        raise argparse.ArgumentTypeError(f"{text!r} is not a list of names, as distance,aging")
    return tuple(dict.fromkeys(found))


def quantity(name: str, most: float = math.inf) -> Callable[[str], float]:
    """A quantity with its unit (a name of `units.QUANTITIES`) to its SI value, as argparse's `type`. With a bound it
    must be above 0, too."""

    def read_quantity(text: str) -> float:
        from scenario.text import units

        kind = units.QUANTITIES[name]
        try:
            found = units.read(text, kind)
        except units.UnitError as error:
            hint = f"; {error.hint}" if error.hint else ""
            raise argparse.ArgumentTypeError(
                f"{text!r}: {error.message}: expected {error.expected}{hint}"
            ) from None
        if most < math.inf and not 0 < found <= most:
            bounds = f"above 0 and at most {units.write(most, kind)}"
            raise argparse.ArgumentTypeError(f"{text!r} is not {kind.said} {bounds}")
        return found

    return read_quantity


def moment(text: str) -> datetime:
    """How long ago (2h, 3d), or a date with or without a time, as argparse's `type`."""
    try:
        return datetime.fromisoformat(text).astimezone()
    except ValueError:
        pass
    try:
        return datetime.now().astimezone() - timedelta(seconds=abs(quantity("duration")(text)))
    except (argparse.ArgumentTypeError, OverflowError):
        message = f"{text!r} is neither a time ago, as 2h or 3d, nor a date, as 2026-11-21"
        raise argparse.ArgumentTypeError(message) from None


def guest_memory(text: str) -> int:
    """Bytes of a guest's memory, as argparse's `type`."""
    from longhaul.machine.memory import LEAST_BYTES, MOST_BYTES

    found_bytes = int(quantity("size")(text))
    if not LEAST_BYTES <= found_bytes <= MOST_BYTES:
        bounds = f"from {LEAST_BYTES / 1e9:.2g}GB to {MOST_BYTES / 1e9:.2g}GB"
        raise argparse.ArgumentTypeError(f"{text!r} is not {bounds}")
    return found_bytes


def there(text: str) -> Path:
    """A path that exists, as argparse's `type`; from the root on."""
    if not text or not Path(text).exists():
        raise argparse.ArgumentTypeError(f"{text!r} does not exist")
    return Path(text).absolute()


def exposable(text: str) -> Path:
    """A path that a guest can be shown, as argparse's `type`; from the root on."""
    path = there(text)
    if path.resolve() in THE_GUESTS:
        raise argparse.ArgumentTypeError(
            f"guests have a {path} of their own: name what they need of it"
        )
    return path


def application(text: str) -> Path:
    """A Python file, as argparse's `type`; its whole path."""
    path = Path(text)
    if path.suffix != ".py" or not path.is_file():
        raise argparse.ArgumentTypeError(f"{text!r} is no Python file")
    return path.absolute()


def workload(text: str) -> Chosen:
    """FILE, or FILE@PATTERN,…, as argparse's `type`."""
    from longhaul.runs.workloads import Chosen

    path, _, patterns = text.rpartition("@") if "@" in text else (text, "", "")
    return Chosen(Path(path), names(patterns) if patterns else ())


def setting(text: str) -> tuple[str, str]:
    """NAME=VALUE, as argparse's `type`."""
    name, equals, value = text.partition("=")
    if not name or not equals:
        raise argparse.ArgumentTypeError(f"{text!r} is not NAME=VALUE")
    return name, value


def complain(text: str, status: int) -> int:
    """Say what is wrong; returns the exit status."""
    print(text, file=sys.stderr)
    return status
