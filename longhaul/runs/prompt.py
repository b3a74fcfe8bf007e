"""`longhaul up`: Mininet's command line on a live fabric, typed here and carried out there.

In virtual time the fabric stands still while nobody has a command under way. Beside Mininet's own commands there are
`happen` and `mend` for events of the timeline, `link` for a link's settings, `wait`, `fidelity`, `source`.
"""

from __future__ import annotations

import json
import readline
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

from analysis import units
from longhaul.emulation.fidelity import ECHO_FRAME_BYTES, directions
from longhaul.machine import dispatch
from longhaul.machine.init import OWN_ROOT, SHOWN, SHOWN_TO_PROGRAMS
from longhaul.runs.interactive import FabricRequest
from longhaul.runs.live import Net, opened
from scenario.errors import LonghaulError, WrongInput
from scenario.plan.types import Plan
from scenario.text.diagnostics import nearest
from scenario.text.units import DURATION, UnitError, read

LEAVE = ("exit", "quit", "EOF")
MOST_NESTED = 8
HELP = """\
HOST COMMAND                  a command on a host, as: c1-h100-1 ping -c 3 c2-h100-1
events                        events of the timeline, and which are on
happen EVENT [for TIME]       have one happen, for so long or until `mend EVENT`
link LINK KEY=VALUE …         another setting of a long-haul link, as: link c1-c2 age=20y loss=1e-3
wait TIME                     let time pass, as: wait 2s
fidelity                      round trips between the campuses, asked and measured
source FILE                   commands from a file
exit                          leave
Mininet's own:
"""


class Prompt:
    """Carries out what is typed; `say` gets what comes of it."""

    def __init__(self, net: Net, asked: FabricRequest, say: Callable[[str], None]) -> None:
        self._net = net
        self._asked = asked
        self._say = say
        self._began_s = net.at_s
        self._own: dict[str, Callable[[str], None]] = {
            "link": self._link,
            "wait": self._wait,
            "happen": self._happen,
            "mend": self._mend,
            "fidelity": lambda _: self.fidelity(),
            "help": self._help,
        }

    @property
    def text(self) -> str:
        """What stands before what is typed: in virtual time, how much of it has passed."""
        return f"fabric {self._now()}> " if self._net.still else "fabric, real time> "

    def _now(self) -> str:
        return f"{self._net.at_s - self._began_s:.6f} s"

    def lines(self, lines: Iterator[str], depth: int = 0) -> bool:
        """Carry out each line; False where one of them leaves. What is wrong is said, and the next one comes."""
        for line in lines:
            word, _, rest = line.strip().partition(" ")
            if word in LEAVE:
                return False
            try:
                if word == "source":
                    if not self._source(Path(rest.strip()), depth):
                        return False
                elif word and not word.startswith("#"):
                    self._carry_out(word, rest.strip(), line.strip())
            except dispatch.MachineError:
                raise
            except LonghaulError as error:
                self._say(f"*** {error}\n")
        return True

    def _carry_out(self, word: str, rest: str, line: str) -> None:
        mininets = word == "link" and "=" not in rest  # `link HOST SWITCH down`
        if word in self._own and not mininets:
            self._own[word](rest)
            return
        if word in self._net.hosts:
            check_seen(rest.split(), self._seen())
        self._net.line(line, self._say)

    def _seen(self) -> tuple[Path, ...] | None:
        """The folders that commands on hosts see, this machine's or the guest's own; None: all, as there is no guest."""
        lists = [self._net.run / name for name in (SHOWN, SHOWN_TO_PROGRAMS)]
        if not any(one.exists() for one in lists):
            return None
        shown, to_programs = (json.loads(one.read_text()) for one in lists)
        own = [f"/{name}" for name in OWN_ROOT] if self._asked.has_own_root else []
        return tuple(Path(name) for name in to_programs or [*shown, *own])

    def _source(self, file: Path, depth: int) -> bool:
        """Commands of a file. Raises WrongInput."""
        if depth >= MOST_NESTED:
            raise WrongInput(f"{file}: files name each other more than {MOST_NESTED} deep")
        try:
            lines = file.read_text(encoding="utf-8").splitlines()
        except (OSError, ValueError) as error:
            why = error.strerror if isinstance(error, OSError) else "not text"
            raise WrongInput(f"{file} cannot be read: {why}") from None
        return self.lines(iter(lines), depth + 1)

    def _help(self, topic: str) -> None:
        self._say("" if topic else HELP)
        self._net.line(f"help {topic}".strip(), self._say)

    def _wait(self, text: str) -> None:
        """Let time pass. Raises WrongInput."""
        self._net.sleep(duration_s(text))

    def _happen(self, text: str) -> None:
        """Have an event happen, for a time or until it is mended. Raises WrongInput."""
        name, lasts, how_long = (*text.split(" ", 2), "", "")[:3]
        if lasts not in ("", "for"):
            raise WrongInput("happen EVENT, or happen EVENT for 300ms")
        seconds = duration_s(how_long) if lasts else 0.0
        self._event(name, begins=True)
        if lasts:
            self._net.sleep(seconds)
            self._event(name, begins=False)

    def _mend(self, name: str) -> None:
        self._event(name, begins=False)

    def _event(self, name: str, *, begins: bool) -> None:
        """Begin or end an event, and say when that was. Raises WrongInput."""
        known = {event.name: event.says for event in self._net.plan.timeline}
        if name not in known:
            hint = nearest(name, known) or "`events` lists them"
            raise WrongInput(f"the timeline has no event {name!r}: {hint}")
        (self._net.begin if begins else self._net.end)(name)
        self._say(f"{self._now()}: {name}: {known[name]}{'' if begins else ' no more'}\n")

    def _link(self, text: str) -> None:
        """Change settings of a long-haul link. Raises InvalidInput, WrongInput."""
        name, *settings = text.split()
        known = [link.name for link in self._net.plan.long_hauls()]
        if name not in known:
            raise WrongInput(f"no long-haul link is called {name!r}: {nearest(name, known) or known}")
        wanted = [one for one in settings if "=" in one]
        if wanted != settings or not wanted:
            raise WrongInput("link LINK KEY=VALUE …, as: link c1-c2 age=20y loss=1e-3")
        texts = tuple(f"links.{name}.{one}" for one in wanted)
        asked = replace(self._asked, overrides=(*self._asked.overrides, *texts))
        before, plan = self._net.plan, asked.plan()
        changed = self._net.replan(plan)
        self._asked = asked
        self._say(f"{self._now()}: {name}: {shape_in_words(plan, name)}; {changed} ports changed\n")
        if plan.rules != before.rules:
            self._say("routes stay as they were\n")

    def fidelity(self) -> None:
        """Say what round trips were asked for, and what they are."""
        for way in list(directions(self._net.plan))[::2]:
            asked_s = way.rtt_s + way.frames_s(ECHO_FRAME_BYTES)
            found_s = self._net.echo_s(way.source.name, way.sink.name)
            told = "no answer" if found_s is None else _beside(asked_s, found_s)
            self._say(f"  {way.name}: round trip asked {units.time(asked_s, 4)}, {told}\n")


def _beside(asked_s: float, found_s: float) -> str:
    return f"measured {units.time(found_s, 4)} ({units.error(found_s / asked_s - 1)})"


def shape_in_words(plan: Plan, name: str) -> str:
    """What a link now does to packets."""
    shape = next(link for link in plan.long_hauls() if link.name == name).a.shape
    delay, rate = units.time(shape.delay_s, 4), units.rate(shape.rate_bps * plan.scale_bytes)
    return f"one way {delay}, {rate}, loss {units.ratio(shape.loss)}"


def duration_s(text: str) -> float:
    """Seconds of a text as `300ms`. Raises WrongInput."""
    try:
        found = read(text, DURATION)
    except UnitError as error:
        raise WrongInput(f"{text!r}: {error}; expected {error.expected}") from None
    if not 0 <= found <= 1e6:
        raise WrongInput(f"{text!r} is not between 0 and a million seconds")
    return found


def check_seen(words: Sequence[str], shown: Sequence[Path] | None) -> None:
    """Raises WrongInput where a command names a file of this machine that the guest does not see."""
    for before, word in zip(["", *words], words, strict=False):
        path = Path(word)
        if shown is None or not path.is_absolute() or before.endswith(">"):
            continue
        if path.is_file() and not any(path.is_relative_to(one) for one in shown):
            raise WrongInput(
                f"the fabric does not see {path}: start it with --expose {path}, or with --expose {path.parent}"
            )


def up(asked: FabricRequest) -> int:
    """The prompt in this terminal, until `exit` or Ctrl-D; without a terminal, the commands on standard input.
    Raises InvalidInput, MachineError."""
    plan = asked.plan()
    machine = asked.chosen()
    print(
        f"{plan.name}: {len(plan.hosts)} hosts, in {machine.time} time, on {machine.name} ({machine.why}).",
        file=sys.stderr,
    )
    with opened(asked) as net:
        prompt = Prompt(net, asked, _say)
        typed = sys.stdin.isatty()
        if typed or not net.still:
            print(_opening(net), end="", flush=True)
            prompt.fidelity()
        prompt.lines(_typed(prompt, net) if typed else iter(sys.stdin))
    return 0


def _opening(net: Net) -> str:
    if net.still:
        return "Time passes only while a command runs. Commands: help. To leave: exit.\n"
    return (
        "Real time: this machine's clock and load are in every delay. Exact ones: --time virtual. Commands: help.\n"
    )


def _say(text: str) -> None:
    print(text, end="", flush=True)


def _typed(prompt: Prompt, net: Net) -> Iterator[str]:
    """What somebody types, with history, and the names of hosts and events completed."""
    words = [*net.hosts, *prompt._own, "events", "source", "exit", "pingall", "dump", "net", "nodes"]
    words += [event.name for event in net.plan.timeline]
    words += [link.name for link in net.plan.long_hauls()]

    def complete(text: str, state: int) -> str | None:
        found = sorted({word for word in words if word.startswith(text)})
        return f"{found[state]} " if state < len(found) else None

    readline.set_completer(complete)
    readline.set_completer_delims(" ")
    readline.parse_and_bind("tab: complete")
    while True:
        with suppress(KeyboardInterrupt):
            try:
                yield input(prompt.text)
            except EOFError:
                print()
                return
            continue
        print()
