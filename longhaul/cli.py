"""The verbs: parse, call, print. Exit codes: 0 done, 1 it could not be done, 2 the input is wrong."""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TypeAlias

from longhaul import __version__
from longhaul.machine.dispatch import MACHINES, TIMES

Verb = Callable[[argparse.Namespace], int]
PATIENCE_S = 300.0
SEEDS = 2**64


def main(arguments: Sequence[str] | None = None) -> int:
    """Carry out the verb of a command line; what went wrong is said plainly, never as a traceback."""
    from longhaul.dsl import InvalidInput
    from longhaul.folder import FolderTaken
    from longhaul.machine.dispatch import MachineError
    from longhaul.machine.uml import GuestError

    words = parser().parse_args(arguments)
    words.command = ["longhaul", *(sys.argv[1:] if arguments is None else arguments)]
    try:
        return int(words.verb(words))
    except InvalidInput as error:
        return _complain(
            json.dumps(error.to_json(), indent=1) if _wants_json(words) else str(error), 2
        )
    except FolderTaken as error:
        return _complain(f"longhaul: {error}", 2)
    except (MachineError, GuestError) as error:
        return _complain(f"longhaul: {error}", 1)
    except KeyboardInterrupt:
        return _complain("longhaul: interrupted; nothing of it is left running", 130)
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 141


def _complain(text: str, status: int) -> int:
    print(text, file=sys.stderr)
    return status


def _wants_json(words: argparse.Namespace) -> bool:
    return getattr(words, "format", None) == "json"


def parser() -> argparse.ArgumentParser:
    """The command line, verb by verb."""
    top = argparse.ArgumentParser(
        prog="longhaul",
        description="Synchronous training across campuses: real packets, exact virtual time.",
        epilog="Each verb has its own --help, with an example.",
    )
    top.add_argument("--version", action="version", version=f"longhaul {__version__}")
    verbs = top.add_subparsers(title="verbs", metavar="VERB", required=True)
    _run_parser(verbs)
    _plan_parser(verbs)
    _validate_parser(verbs)
    _up_parser(verbs)
    _exec_parser(verbs)
    _show_parser(verbs)
    _schema_parser(verbs)
    _doctor_parser(verbs)
    return top


Verbs: TypeAlias = "argparse._SubParsersAction[argparse.ArgumentParser]"


def _verb(verbs: Verbs, name: str, verb: Verb, what: str, example: str) -> argparse.ArgumentParser:
    made = verbs.add_parser(
        name,
        help=f"{what}, e.g. {example}",
        description=f"{what[0].upper()}{what[1:]}.",
        epilog=f"example: {example}",
    )
    made.set_defaults(verb=verb)
    return made


def _topology(made: argparse.ArgumentParser) -> None:
    made.add_argument("topology", type=Path, help="a topology file")
    made.add_argument(
        "--set",
        dest="overrides",
        action="append",
        default=[],
        metavar="PATH=VALUE",
        help="override a value of the file, as links.c1-c2.age=20y",
    )


def _where(made: argparse.ArgumentParser, times: Sequence[str]) -> None:
    made.add_argument("--seed", type=_seed, default=1, help="of all randomness (default 1)")
    made.add_argument("--time", choices=times, default=times[0], help=f"default {times[0]}")
    made.add_argument("--machine", choices=MACHINES, default="auto", help="default auto")
    made.add_argument("--cpu", type=_cpu, help="the CPU to pin a guest to (default: the last one)")


def _seed(text: str) -> int:
    if not text.isdecimal() or int(text) >= SEEDS:
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number from 0 to 2^64 - 1")
    return int(text)


def _cpu(text: str) -> int:
    allowed = os.sched_getaffinity(0)
    if not text.isdigit() or int(text) not in allowed:
        raise argparse.ArgumentTypeError(
            f"{text!r} is none of this process's CPUs {sorted(allowed)}"
        )
    return int(text)


def _setting(text: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not name or not equals:
        raise argparse.ArgumentTypeError(f"{text!r} is not NAME=VALUE")
    return name, value


def _run_parser(verbs: Verbs) -> None:
    made = _verb(
        verbs, "run", run, "run a workload on a topology, and analyse it",
        "longhaul run topologies/colossus.yaml --seed 2",
    )  # fmt: skip
    _topology(made)
    made.add_argument("--workload", type=Path, help="a workload file (default: one training step)")
    _where(made, TIMES)
    made.add_argument("--out", type=Path, help="the run folder (default: runs/<name>-<number>)")
    made.add_argument(
        "--patience", type=float, default=PATIENCE_S, metavar="SECONDS",
        help=f"wall time without progress after which a run is given up (default {PATIENCE_S:g})",
    )  # fmt: skip


def run(words: argparse.Namespace) -> int:
    """Run a workload, print the summary, name the report."""
    from analysis.terminal import console, print_summary
    from longhaul import progress
    from longhaul.run import DEFAULT_WORKLOAD, Request
    from longhaul.run import run as run_it

    request = Request(
        topology=words.topology,
        workload=words.workload or DEFAULT_WORKLOAD,
        overrides=tuple(words.overrides),
        seed=words.seed,
        time=words.time,
        machine=words.machine,
        out=words.out,
        cpu=words.cpu,
        patience_s=words.patience,
        command=tuple(words.command),
    )
    with progress.shown() as hear:
        folder = run_it(request, hear)
    print_summary(folder, console())
    wrong = json.loads((folder / "summary.json").read_text())["collective"]["wrong"]
    return _complain(f"longhaul: {wrong} results were not the sum", 1) if wrong else 0


def _plan_parser(verbs: Verbs) -> None:
    made = _verb(
        verbs, "plan", plan, "print what would be built, without building anything",
        "longhaul plan topologies/two-hosts.yaml --format json",
    )  # fmt: skip
    _topology(made)
    made.add_argument("--format", choices=("table", "json"), default="table")


def plan(words: argparse.Namespace) -> int:
    """Print a plan: addresses, shapes, routes."""
    from longhaul.dsl import load_topology
    from longhaul.fabric.plan import make_plan
    from longhaul.fabric.table import show as show_plan

    made = make_plan(load_topology(words.topology, words.overrides))
    if words.format == "json":
        print(json.dumps(made.to_json(), indent=1, ensure_ascii=False))
    else:
        show_plan(made)
    return 0


def _validate_parser(verbs: Verbs) -> None:
    made = _verb(
        verbs, "validate", validate, "check a topology file and say all that is wrong with it",
        "longhaul validate topologies/colossus.yaml",
    )  # fmt: skip
    _topology(made)
    made.add_argument("--format", choices=("table", "json"), default="table")


def validate(words: argparse.Namespace) -> int:
    """Check a file; silent but for one line when it is well."""
    from longhaul.dsl import load_topology
    from longhaul.fabric.plan import make_plan

    made = make_plan(load_topology(words.topology, words.overrides))
    print(f"{words.topology}: {len(made.campuses)} campuses, {len(made.hosts)} hosts, well-formed")
    return 0


def _up_parser(verbs: Verbs) -> None:
    made = _verb(
        verbs, "up", up, "start a fabric in real time, with Mininet's command line",
        "longhaul up topologies/two-hosts.yaml",
    )  # fmt: skip
    _topology(made)
    _where(made, ("real",))


def up(words: argparse.Namespace) -> int:
    """Mininet's CLI on a fabric, until `exit`."""
    from longhaul import interactive

    return interactive.up(interactive.Fabric.of(words))


def _exec_parser(verbs: Verbs) -> None:
    made = _verb(
        verbs, "exec", execute, "run an unmodified command on hosts, with torchrun's environment",
        "longhaul exec topologies/two-hosts.yaml -- python3 train.py",
    )  # fmt: skip
    _topology(made)
    made.add_argument("--hosts", default="*", metavar="PATTERN", help="as c1-* (default: all)")
    _where(made, TIMES)
    made.add_argument(
        "--env", dest="environment", action="append", default=[], metavar="NAME=VALUE",
        type=_setting, help="set a variable for the command",
    )  # fmt: skip
    made.add_argument(
        "--patience", type=float, default=PATIENCE_S, metavar="SECONDS",
        help=f"wall time without output after which it is given up (default {PATIENCE_S:g})",
    )  # fmt: skip
    made.add_argument("argv", nargs="+", metavar="COMMAND", help="after --; needs no shell")


def execute(words: argparse.Namespace) -> int:
    """Run a command on hosts; the status is the worst of theirs."""
    from longhaul import interactive

    return interactive.execute(
        interactive.Fabric.of(words), words.argv, words.hosts, words.environment, words.patience
    )


def _show_parser(verbs: Verbs) -> None:
    made = _verb(
        verbs, "show", show, "print the summary of a run again", "longhaul show runs/colossus-1"
    )
    made.add_argument("run", type=Path, help="a run folder")


def show(words: argparse.Namespace) -> int:
    """Print a finished run's summary."""
    from analysis.terminal import console, print_summary

    if not (words.run / "summary.json").exists():
        return _complain(f"longhaul: {words.run} is not the folder of a finished run", 2)
    print_summary(words.run, console())
    return 0


def _schema_parser(verbs: Verbs) -> None:
    made = _verb(
        verbs, "schema", schema, "print the JSON Schema of topology or workload files",
        "longhaul schema topology > topology.schema.json",
    )  # fmt: skip
    made.add_argument("kind", choices=("topology", "workload"))


def schema(words: argparse.Namespace) -> int:
    """Print a schema that editors complete from."""
    from longhaul.dsl import schema as schema_of

    print(json.dumps(schema_of(words.kind), indent=1, ensure_ascii=False))
    return 0


def _doctor_parser(verbs: Verbs) -> None:
    _verb(
        verbs, "doctor", doctor, "say what this machine can and cannot do, and how to mend it",
        "longhaul doctor",
    )  # fmt: skip


def doctor(_words: argparse.Namespace) -> int:
    """Print the findings; 1 if something is to be mended."""
    from longhaul.machine.doctor import diagnose, render

    checks = diagnose()
    print(render(checks))
    return int(any(check.ok is False for check in checks))


if __name__ == "__main__":
    sys.exit(main())
