"""Lab 7: a routing policy, tried on networks and under cuts that the student does not know; and a controller
that forwards.

The policy answers in a guest, as data. What it answers is followed link by link here, compared with the best of
all paths, and given to the fabric as static paths.
"""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator, Sequence
from functools import cache
from itertools import permutations
from pathlib import Path
from random import Random
from typing import Any

from controller.policies.campuses import CampusGraph, delay_s, rate_bps, simple_paths
from controller.policies.campuses import Path as Way
from longhaul.api.inputs import Topology, Workload, topology, workload
from longhaul.api.plans import plan
from longhaul.aside import aside
from longhaul.labs.attempt import Attempt, Marked, unread
from longhaul.labs.calls import SILENCE_S, Call, ended
from longhaul.labs.draws import Drawn
from longhaul.labs.guest import policies
from longhaul.machine.bundle import again
from longhaul.machine.child import child

FILE, CONTROLLER = "policy.py", "switch.py"
MESSAGE_BYTES = 256e6
CAMPUSES = 5
AS_GOOD = 1.001
CLEAR = 1.15
"""So much longer a message takes over the path of least delay, for the pair where that matters most."""
SECONDS_PER_KM = 4.897e-6
PINGS = 3


@cache
def network(number: int) -> tuple[tuple[str, str, str, int, int], ...]:
    """Links of a ring of campuses with two chords: name, ends, kilometres, Gbit/s."""
    chance = Random(number)
    ring = [(at, (at + 1) % CAMPUSES) for at in range(CAMPUSES)]
    chords = chance.sample([(0, 2), (1, 3), (2, 4), (0, 3), (1, 4)], 2)
    return tuple(
        (f"c{min(a, b) + 1}-c{max(a, b) + 1}", f"c{min(a, b) + 1}", f"c{max(a, b) + 1}",
         chance.randrange(100, 2000, 50), chance.choice((50, 100, 200, 400)))
        for a, b in (*ring, *chords)
    )  # fmt: skip


def links(number: int) -> list[dict[str, Any]]:
    """The same as a policy gets it."""
    return [
        {"name": name, "ends": [a, b], "rate_bps": Gbps * 1e9, "delay_s": km * SECONDS_PER_KM}
        for name, a, b, km, Gbps in network(number)
    ]


def graph(number: int, cut: str | None) -> CampusGraph:
    """Without the link that is cut."""
    arcs = (arc for link in links(number) for arc in policies.both(link))
    return CampusGraph(tuple(arc for arc in arcs if arc.link != cut))


def took_s(path: Way) -> float:
    """One way, and the message at the rate of the bottleneck."""
    return delay_s(path) + MESSAGE_BYTES * 8 / rate_bps(path)


def best(of: CampusGraph, source: str, sink: str) -> Way:
    """The path over which a message takes least."""
    return min(simple_paths(of, source, sink), key=took_s)


def worst_pair(number: int) -> tuple[float, str, str]:
    """The pair for which the path of least delay costs most, and how many times as long a message takes over it."""
    whole = graph(number, None)
    return max(
        (took_s(next(simple_paths(whole, a, b))) / took_s(best(whole, a, b)), a, b)
        for a, b in permutations(sorted(whole.leaving), 2)
    )


def fair(drawn: Drawn) -> bool:
    """Whether neither the least delay nor the widest bottleneck is the answer."""
    number = int(drawn["network"])
    whole = graph(number, None)
    widest = max(
        took_s(max(simple_paths(whole, a, b), key=rate_bps)) / took_s(best(whole, a, b))
        for a, b in permutations(sorted(whole.leaving), 2)
    )
    return worst_pair(number)[0] > CLEAR and widest > 1 + 2 * (AS_GOOD - 1)


def mark(work: Attempt) -> Iterator[Marked]:
    """Paths on every network, the worst pair in the fabric, and the controller."""
    numbers = [int(one["network"]) for one in work.every]
    file = str(policies.__file__)
    answers = work.called(
        [
            Call(
                file,
                "answered",
                {"file": FILE, "links": links(one), "message_bytes": MESSAGE_BYTES},
            )
            for one in numbers
        ]
    )
    asked = "each pair gets one path that exists, visits no campus twice and avoids the cut link"
    for number, answer in zip(numbers, answers, strict=True):
        if why := unread(answer, list) or _wrong(number, answer.value):
            yield from (Marked(name, False, asked, why) for name in ("paths", "best", "measured"))
            break
    else:
        counted = sum(len(answer.value) for answer in answers)
        yield Marked(
            "paths",
            True,
            asked,
            f"{counted} answers in {len(numbers)} networks, with each link cut",
        )
        yield _best(numbers, [answer.value for answer in answers])
        yield _measured(work, numbers[0], answers[0].value)
    yield _controller(work)


def _wrong(number: int, answered: Sequence[dict[str, Any]]) -> str:
    """What is wrong with a policy's paths, the first of it; else nothing."""
    cuts = (None, *(name for name, *_ in network(number)))
    places = sorted(graph(number, None).leaving)
    due = [(cut, a, b) for cut in cuts for a, b in permutations(places, 2)]
    if (
        not all(map(formed, answered))
        or [(o["cut"], o["source"], o["sink"]) for o in answered] != due
    ):
        return "answers that were not asked for"
    for one in answered:
        if len(one["paths"]) != 1:
            return f"{where(one)}: {len(one['paths'])} paths"
        if not followed(number, one):
            links_ = " ".join(map(str, one["paths"][0])) or "no link"
            return f"{where(one)}: {links_} does not lead there"
    return ""


def formed(one: object) -> bool:
    """Whether an answer has the form of one: a student's code may have written what it liked."""
    if not isinstance(one, dict) or one.keys() != {"cut", "source", "sink", "paths"}:
        return False
    paths = one["paths"]
    lists = isinstance(paths, list) and all(isinstance(path, list) for path in paths)
    return lists and all(isinstance(link, str) for path in paths for link in path)


def where(one: dict[str, Any]) -> str:
    """What an answer is about, in words."""
    return f"from {one['source']} to {one['sink']}, {one['cut'] or 'nothing'} cut"


def followed(number: int, one: dict[str, Any]) -> Way | None:
    """The path of an answer, link by link; None where it leads elsewhere, or meets a campus twice."""
    leaving = graph(number, one["cut"]).leaving
    path: Way = ()
    here, seen = one["source"], {one["source"]}
    for name in one["paths"][0]:
        arc = next((arc for arc in leaving.get(here, ()) if arc.link == name), None)
        if arc is None or arc.head in seen:
            return None
        here, path = arc.head, (*path, arc)
        seen.add(here)
    return path if here == one["sink"] and path else None


def _best(numbers: Sequence[int], answers: Sequence[list[dict[str, Any]]]) -> Marked:
    """Every answer against the best of all paths."""
    asked = f"no message of {MESSAGE_BYTES / 1e6:g} MB takes longer than over the best path, whatever is cut"
    for number, answered in zip(numbers, answers, strict=True):
        for one in answered:
            path = followed(number, one)
            assert path is not None
            due = took_s(best(graph(number, one["cut"]), one["source"], one["sink"]))
            if took_s(path) > AS_GOOD * due:
                said = f"{where(one)}: {took_s(path) / due:.2f} times as long"
                return Marked("best", False, asked, said)
    return Marked("best", True, asked, "none does, in any network")


def fabric(number: int, paths: Sequence[dict[str, Any]] = ()) -> Topology:
    """The network, with these paths; else with those of least delay."""
    host = {"hosts": [{"count": 1, "accelerator": "H100"}]}
    written = [{"between": [one["source"], one["sink"]], "over": one["paths"][0]} for one in paths]
    return topology(
        "network",
        scale={"bytes": 500},
        campuses={f"c{at}": host for at in range(1, CAMPUSES + 1)},
        links={
            name: {"between": [a, b], "distance": f"{km}km", "rate": f"{Gbps}Gbit/s"}
            for name, a, b, km, Gbps in network(number)
        },
        routing={"policy": "static", "paths": written} if written else "shortest-delay",
    )


def _measured(work: Attempt, number: int, answered: Sequence[dict[str, Any]]) -> Marked:
    """The pair that suffers most from the path of least delay: two hosts sum a buffer, over the student's paths
    and over those."""
    _, a, b = worst_pair(number)
    asked = f"between {a} and {b} an all-reduce is faster in the fabric than over the path of least delay"
    own = [one for one in answered if one["cut"] is None]
    places = (fabric(number, own), fabric(number))
    mine, theirs = (work.run(one, pair(a, b)).training.collective.p50_s for one in places)
    said = f"{mine * 1e3:.2f} ms, over the path of least delay {theirs * 1e3:.2f} ms"
    return Marked("measured", mine < theirs, asked, said)


def pair(a: str, b: str) -> Workload:
    """All-reduces of two campuses' hosts, in messages as the policy was told of."""
    return workload(
        "pair", "training",
        runs_on=[a, b], model={"parameters": MESSAGE_BYTES, "dtype": "bf16"}, batch={"tokens": "1Ki"},
        iterations=3, warmup=1,
    )  # fmt: skip


def _controller(work: Attempt) -> Marked:
    """Each host pings the first one, with the student's controller in a guest."""
    asked = f"with your controller every host reaches the first one, {PINGS} pings each"
    place = fabric(int(work.drawn["network"])).set("routing", "none")
    work.hear("your controller runs in a guest")
    with aside() as desk:
        handed = work.folder / CONTROLLER
        if not handed.is_file() or handed.is_symlink():
            return Marked("controller", False, asked, f"{CONTROLLER} is missing")
        shutil.copyfile(handed, desk / CONTROLLER)
        (desk / "network.yaml").write_text(place.to_yaml())
        said = _pinged(desk, plan(place).hosts[0].ip)
    got = [int(count) for count in re.findall(r"(\d+) received", said)]
    right = len(got) == CAMPUSES and min(got) == PINGS
    last = said.strip().splitlines()[-1:] or ["nothing was said"]
    told = f"{sum(got)} of {CAMPUSES * PINGS} answers" if got else last[0][:300]
    return Marked("controller", right, asked, told)


def _pinged(desk: Path, address: str) -> str:
    command = [
        *again(), "exec", "network.yaml", "--machine", "uml", "--memory", "1GB",
        "--patience", str(SILENCE_S), "--controller", CONTROLLER,
        "--", "ping", "-c", str(PINGS), "-i", "0.5", "-W", "2", address,
    ]  # fmt: skip
    with (desk / "said").open("w") as file, child(command, stdout=file, cwd=desk) as process:
        ended(process, desk / "said")
    return (desk / "said").read_text(errors="replace")


def prepare(folder: Path, drawn: Drawn) -> None:
    """The student's own network."""
    (folder / "network.yaml").write_text(fabric(int(drawn["network"])).to_yaml())
