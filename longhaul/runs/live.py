"""A live fabric: its hosts' shells, Mininet's own methods and the timeline's events, from Python and in virtual time.

In: which fabric. Out: a `Net` for as long as a `with` block takes. Virtual time passes only while the fabric answers.
"""

from __future__ import annotations

import json
import re
import signal
import subprocess
import time as clock
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from longhaul import folder
from longhaul.inside.letters import ANSWER, ASKED, HOST, INTERRUPT, SAID
from longhaul.machine import dispatch
from longhaul.machine.dispatch import MachineError
from longhaul.runs.interactive import FabricRequest
from scenario.errors import WrongInput
from scenario.plan.types import Plan

LOOK_EVERY_S = 0.003
PING = "ping -n -c 3 -i 0.2 -W 1 {}"
_SHORTEST = re.compile(r"^rtt min/avg/max/mdev = ([0-9.]+)/", re.MULTILINE)


@contextmanager
def opened(asked: FabricRequest) -> Iterator[Net]:
    """Start a fabric; it ends with the block. What its links do to packets is on, events of its timeline happen when they
    are told to. Raises InvalidInput, MachineError.
    """
    plan = asked.plan()
    chosen = asked.chosen()
    with folder.scratch(f"fabric-{plan.name}") as run:
        folder.write_json(run / "plan.json", plan.to_json())
        job = asked.job("live", plan)
        dispatch.prepare(run, job)
        with (
            (run / "logs" / "console.log").open("wb") as console,
            dispatch.on(chosen, run, job, console.fileno(), subprocess.PIPE) as process,
        ):
            net = Net(plan, run, process, still=chosen.time == "virtual")
            net._wait()
            yield net


class Net:
    """A fabric under way. `net["c1-h100-1"]` is a host, `net.mininet` has the methods of the Mininet object."""

    def __init__(
        self, plan: Plan, run: Path, process: subprocess.Popen[bytes], *, still: bool
    ) -> None:
        self.plan = plan
        self.mininet = Remote(self, None)
        self.run = run
        self.still = still
        self.at_s = 0.0
        self._process = process
        self._progress = dispatch.ProgressLines(run / "progress")
        self._number = 0

    @property
    def hosts(self) -> tuple[str, ...]:
        """The names of its hosts; a border's probe counts as one."""
        return tuple(host.name for host in self.plan.hosts + self.plan.probes)

    def __getitem__(self, name: str) -> Host:
        if name not in self.hosts:
            raise WrongInput(f"no host is called {name!r}; there are {', '.join(self.hosts[:6])} …")
        return Host(self, name)

    @property
    def now_s(self) -> float:
        """Seconds on the fabric's clock."""
        return float(self._ask("now"))

    def sleep(self, seconds: float) -> None:
        """Let time pass in the fabric; in virtual time that takes none of ours."""
        self._ask("sleep", seconds=seconds)

    def begin(self, event: str) -> None:
        """Have an event of the timeline happen, by its name."""
        self._ask("event", name=event, begins=True)

    def end(self, event: str) -> None:
        """Have it be over."""
        self._ask("event", name=event, begins=False)

    def _ask(self, do: str, **more: Any) -> Any:
        """Ask, wait, and have time stand still again. Raises WrongInput for what cannot be, MachineError."""
        number = self._send(do, **more)
        self._wait()
        return self._answer(number)

    def _send(self, do: str, **more: Any) -> int:
        """Ask; the number of the request."""
        number, self._number = self._number, self._number + 1
        asked = self.run / ASKED.format(number)
        written = asked.with_suffix(".part")
        written.write_text(json.dumps({"do": do} | more))
        written.rename(asked)
        if self.still:
            self._process.send_signal(signal.SIGCONT)
        return number

    def _answer(self, number: int) -> Any:
        """What came of a request. Raises WrongInput."""
        found = json.loads((self.run / ANSWER.format(number)).read_text())
        if "error" in found:
            raise WrongInput(found["error"])
        return found["answer"]

    def _wait(self) -> None:
        """Wait until the fabric waits for the next request."""
        while not self._is_waiting():
            clock.sleep(LOOK_EVERY_S)

    def _is_waiting(self) -> bool:
        """Whether the fabric waits for the next request; then its time stands still. Raises MachineError."""
        for message in self._progress.new():
            if text := message.get("stopped") or message.get("crashed"):
                raise MachineError(text)
            if message.get("waiting") == self._number:
                self.at_s = message["at_s"]
                if self.still:
                    self._process.send_signal(signal.SIGSTOP)
                return True
        if self._process.poll() is not None:
            raise MachineError(f"the fabric ended{dispatch.last_words(self.run)}")
        return False

    def line(self, text: str, say: Callable[[str], None]) -> None:
        """Carry out a line of Mininet's command line; `say` gets what it says as it comes. Ctrl-C ends a command on a
        host. Raises MachineError."""
        said = self.run / SAID.format(self._number)
        said.touch()
        (self.run / INTERRUPT).unlink(missing_ok=True)  # of a command that could not be ended
        number = self._send("line", text=text, said=said.name)
        with said.open(encoding="utf-8", errors="replace", newline="") as coming:
            ended = False
            while not ended:
                try:
                    ended = self._is_waiting()
                    say(coming.read())
                    if not ended:
                        clock.sleep(LOOK_EVERY_S)
                except KeyboardInterrupt:
                    (self.run / INTERRUPT).touch()
        self._answer(number)

    def replan(self, plan: Plan) -> int:
        """Have the links be as another plan of the same topology says; how many ports changed. Raises WrongInput."""
        changed = int(self._ask("replan", plan=plan.to_json()))
        self.plan = plan
        return changed

    def echo_s(self, source: str, sink: str) -> float | None:
        """The shortest of three round trips, seconds; None where nothing comes back."""
        found = _SHORTEST.search(self[source].mininet.cmd(PING.format(self[sink].ip)))
        return float(found[1]) / 1e3 if found else None


class Remote:
    """The methods of Mininet's object, or of one host: called there, with hosts and plain values; what comes back
    is a plain value, or its `repr`."""

    def __init__(self, net: Net, host: str | None) -> None:
        self._net = net
        self._where = {} if host is None else {HOST: host}

    def __getattr__(self, name: str) -> Callable[..., Any]:
        if name.startswith("_"):
            raise AttributeError(name)

        def call(*arguments: Any, **named: Any) -> Any:
            given = [_sent(one) for one in arguments]
            options = {key: _sent(one) for key, one in named.items()}
            return self._net._ask("call", name=name, arguments=given, named=options, **self._where)

        return call


class Host:
    """A host of a fabric; `mininet` has the methods of Mininet's node."""

    def __init__(self, net: Net, name: str) -> None:
        self.name = name
        self.mininet = Remote(net, name)
        self._net = net

    @property
    def ip(self) -> str:
        """Its address."""
        plan = self._net.plan
        return next(host.ip for host in plan.hosts + plan.probes if host.name == self.name)

    def cmd(self, text: str) -> str:
        """What a command of the host's shell says, output and errors, when it is done. Names of hosts stand for
        their addresses, as at Mininet's prompt."""
        known = {name: self._net[name].ip for name in self._net.hosts}
        words = [known.get(word, word) for word in text.split(" ")]
        return str(self._net._ask("command", host=self.name, text=" ".join(words)))


def _sent(argument: Any) -> Any:
    """An argument as JSON has it."""
    if isinstance(argument, Host):
        return {HOST: argument.name}
    return [_sent(one) for one in argument] if isinstance(argument, (list, tuple)) else argument
