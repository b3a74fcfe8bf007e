"""Jobs in guests, timed from outside: a guest's clock is virtual, the wall's is the host's.

Resolution is POLL_S. A guest that is no longer listened to is killed.
"""

from __future__ import annotations

import os
import subprocess
import tempfile
import time
from collections.abc import Callable, Generator
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

from longhaul import folder
from longhaul.machine import dispatch, exposure, uml
from longhaul.machine.init import PAYLOAD, ROOT
from scenario.errors import LonghaulError
from scenario.job import Command, Job, Verb
from scenario.plan.types import Plan

SEED = 1
POLL_S = 0.005
PATIENCE_S = 600.0
"""Of wall time without progress, and of virtual time without output."""
ANSWERED = " 0% packet loss"

Message = dict[str, Any]
Heard = Generator[tuple[float, Message]]


class BenchError(LonghaulError):
    """A measurement could not be made; the text says why."""


def exec_job(plan: Plan, argv: list[str], pattern: str) -> Job:
    """The job of `longhaul exec --hosts PATTERN -- ARGV`."""
    command = Command(tuple(argv), pattern, "/", {"PATH": os.defpath})
    return job("exec", plan, command)


def job(verb: Verb, plan: Plan, command: Command | None = None) -> Job:
    """A job in virtual time."""
    return Job(
        verb=verb,
        seed=SEED,
        time="virtual",
        hosts=len(plan.hosts) + len(plan.probes),
        patience_s=PATIENCE_S,
        command=command,
    )


def heard(run: Path, plan: Plan, job: Job, payload: str = PAYLOAD) -> Heard:
    """Boot a guest for a job in the empty folder `run`: its progress, each message with the wall
    seconds since the guest's exec. Raises BenchError where it does not end well."""
    folder.write_json(run / "plan.json", plan.to_json())
    dispatch.prepare(run, job)
    argv = job.command.argv if job.command else ()
    exposed = exposure.for_command(argv, ROOT, os.environ, Path.home())
    guest = replace(dispatch.guest_for(run, job), payload=payload, exposed=exposed)
    with (run / "logs" / "console.log").open("wb") as console:
        start_s = time.perf_counter()
        with uml.booted(guest, console.fileno(), subprocess.PIPE) as process:
            for message in _messages(process, dispatch.ProgressLines(run / "progress")):
                yield time.perf_counter() - start_s, message


def _messages(
    process: subprocess.Popen[bytes], progress: dispatch.ProgressLines
) -> Generator[Message]:
    running = True
    heard_s = time.monotonic()
    while running:
        running = process.poll() is None
        if time.monotonic() - heard_s > PATIENCE_S:
            raise BenchError(f"a guest said nothing for {PATIENCE_S:.0f} s of wall time")
        for message in progress.new():
            heard_s = time.monotonic()
            if text := message.get("stopped") or message.get("crashed"):
                raise BenchError(text)
            yield message
        time.sleep(POLL_S)


def wall_until(plan: Plan, job: Job, reached: Callable[[Message], bool], payload: str) -> float:
    """Wall seconds from a guest's exec to the first message that has `reached` it. Raises BenchError."""
    with tempfile.TemporaryDirectory(prefix="longhaul-bench-") as run:
        with closing(heard(Path(run), plan, job, payload)) as progress:
            for wall_s, message in progress:
                if reached(message):
                    return wall_s
        console = (Path(run) / "logs" / "console.log").read_text(errors="replace")
    raise BenchError(f"the guest ended without an answer to the first ping\n{console}")


def pingable_s(plan: Plan, payload: str) -> float:
    """Wall seconds from a guest's exec until the first host has had an echo from the last."""
    argv = ["ping", "-c", "1", "-W", "5", plan.hosts[-1].ip]
    job = exec_job(plan, argv, plan.hosts[0].name)
    return wall_until(plan, job, lambda message: ANSWERED in message.get("line", ""), payload)
