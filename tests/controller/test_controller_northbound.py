"""The northbound API in the real fabric: what it says is what is there, and a link that it is asked to avoid
is left by packets, as counted in the switches. `LONGHAUL_FUZZ_REQUESTS` says how many requests are made by rule of each
of its operations."""

import json
import os
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import pytest

from bench import guests
from bench.failover import TRIANGLE, plan_of
from scenario.plan.types import Plan
from tests.controller.asking import PINGS
from tests.controller.networks import longhaul

AVOID, USE = '{"state": "avoid"}', '{"state": "use"}'
REQUESTS = int(os.environ.get("LONGHAUL_FUZZ_REQUESTS", "30"))
PING = ("ping", "c1-h100-1", "10.2.1.1")
pytestmark = pytest.mark.slow

STEPS = {
    "topology": ("ask", "/v1/topology"),
    "routes": ("ask", "/v1/routes"),
    "differences": ("ask", "/v1/differences"),
    "pinged": PING,
    "counters": ("ask", "/v1/counters"),
    "avoided": ("ask", "/v1/links/c1-c2", AVOID),
    "pinged around": PING,
    "counters around": ("ask", "/v1/counters"),
    "avoided, all others": ("ask", "/v1/links/c1-c3", AVOID),
    "cut": ("cut", "c2-c3"),
    "after the cut": ("ask", "/v1/topology"),
    "differences after the cut": ("ask", "/v1/differences"),
    "pinged, cut": PING,
    "used again": ("ask", "/v1/links/c1-c2", USE),
    "unknown": ("ask", "/v1/nothing"),
    "unknown link": ("ask", "/v1/links/c1-c9", AVOID),
    "no state": ("ask", "/v1/links/c1-c2", '{"state": "gone"}'),
    "no JSON": ("ask", "/v1/links/c1-c2", "{"),
    "too long": ("ask", "/v1/links/c1-c2", " " * 2000),
    "not a link": ("ask", "/v1/topology", "{}"),
    "no method": ("ask", "/v1/topology", None, "DELETE"),
    "no request": ("raw", "nonsense\r\n\r\n"),
    "a long length": (
        "raw",
        f"POST /v1/links/c1-c2 HTTP/0.9\r\nContent-Length: {'9' * 5000}\r\n\r\n",
    ),
    "deep": ("ask", "/v1/links/c1-c2", "[" * 1000),
    "fuzzed": ("fuzz", REQUESTS),
}


@pytest.fixture(scope="module")
def plan() -> Plan:
    return plan_of(TRIANGLE)


@pytest.fixture(scope="module")
def answers(plan: Plan, tmp_path_factory: pytest.TempPathFactory, kernel: Path) -> dict[str, Any]:  # noqa: ARG001
    folder = tmp_path_factory.mktemp("northbound") / "run"
    folder.mkdir()
    (folder / "steps.json").write_text(json.dumps(list(STEPS.values())))
    job = replace(guests.job("run", plan), rest=True, root="system")  # which has schemathesis
    for _ in guests.heard(folder, plan, job, "tests.controller.asking"):
        pass
    return dict(zip(STEPS, json.loads((folder / "asked.json").read_text()), strict=True))


def told(answers: dict[str, Any], step: str) -> Any:
    status, answer = answers[step]
    assert status == 200, answer
    return answer


def link(topology: dict[str, Any], name: str) -> dict[str, Any]:
    return next(one for one in topology["links"] if one["name"] == name)


def test_the_topology_is_the_planned_one_and_all_of_it_is_discovered(
    plan: Plan, answers: dict[str, Any]
) -> None:
    found = told(answers, "topology")
    assert [switch["name"] for switch in found["switches"]] == [x.name for x in plan.switches]
    assert all(switch["connected"] for switch in found["switches"])
    ports = {port["interface"]: port for switch in found["switches"] for port in switch["ports"]}
    assert set(ports) == {end.interface for x in plan.wires for end in x.ends if end.port}
    assert all(port["up"] for port in ports.values())
    between = [x.name for x in plan.wires if x.kind in ("fabric", "long-haul")]
    assert [one["name"] for one in found["links"]] == between
    for one in found["links"]:
        assert (one["up"], one["discovered"], one["used"], one["state"]) == (
            True,
            True,
            True,
            "use",
        )
    assert len(found["heard"]) == 2 * len(between)
    assert told(answers, "differences") == {"differences": []}


def test_the_routes_are_the_plans(plan: Plan, answers: dict[str, Any]) -> None:
    found = told(answers, "routes")
    assert (found["policy"], found["generation"], found["avoided"]) == ("shortest-delay", 1, [])
    for switch in plan.switches:
        own = found["switches"][switch.name]
        assert own["rules"] == [
            asdict(rule) | {"priority": rule.priority}
            for rule in plan.rules
            if rule.switch == switch.name
        ]
        assert len(own["groups"]) == sum(group.switch == switch.name for group in plan.groups)


def sent(counters: dict[str, Any], switch: str, port: int) -> int:
    ports = counters["switches"][switch]["ports"]
    return next(one["tx_packets"] for one in ports if one["port"] == port)


def test_counters_count_packets_by_port_and_by_rule(answers: dict[str, Any]) -> None:
    found = told(answers, "counters")
    rules = found["switches"]["c2-l1"]["rules"]
    local = next(rule for rule in rules if rule["match"].get("ipv4_dst") == "10.2.1.1")
    assert (local["packets"], local["bytes"]) == (PINGS, PINGS * (14 + 20 + 8 + 100))
    assert sent(found, "c1-b", 3) >= PINGS
    assert f"{PINGS} received" in answers["pinged"]


def test_a_link_that_is_to_be_avoided_is_left_by_packets_and_none_is_lost(
    answers: dict[str, Any],
) -> None:
    change = told(answers, "avoided")
    assert (change["state"], change["used"], change["up"]) == ("avoid", False, True)
    before, after = told(answers, "counters"), told(answers, "counters around")
    assert f"{PINGS} received" in answers["pinged around"]
    # Port 3 of c1's border leads to c2, port 4 to c3.
    assert sent(after, "c1-b", 3) == sent(before, "c1-b", 3)
    assert sent(after, "c1-b", 4) == sent(before, "c1-b", 4) + PINGS


def test_what_is_to_be_avoided_is_used_all_the_same_where_nothing_else_leads(
    answers: dict[str, Any],
) -> None:
    refused = told(answers, "avoided, all others")
    assert (refused["state"], refused["used"]) == ("avoid", True)
    assert f"{PINGS} received" in answers["pinged, cut"]


def test_a_cut_shows_and_is_no_difference(answers: dict[str, Any]) -> None:
    found = told(answers, "after the cut")
    cut = link(found, "c2-c3")
    assert (cut["up"], cut["used"]) == (False, False)
    assert told(answers, "differences after the cut") == {"differences": []}


def test_a_link_may_be_used_again(answers: dict[str, Any]) -> None:
    found = told(answers, "used again")
    assert (found["state"], found["used"]) == ("use", True)


@pytest.mark.parametrize(
    ("step", "status", "says"),
    [
        ("unknown", 404, "there are /v1/topology, /v1/routes, /v1/counters, /v1/differences"),
        ("unknown link", 404, "c1-c2, c2-c3, c1-c3"),
        ("no state", 400, 'expected {"state": "avoid"} or {"state": "use"}'),
        ("no JSON", 400, 'expected {"state": "avoid"}'),
        ("too long", 400, "no more than 1024"),
        ("not a link", 405, "only /v1/links/NAME can be changed"),
        ("no method", 405, "methods here are GET and, of links, POST"),
        ("deep", 400, 'expected {"state": "avoid"}'),
    ],
)
def test_a_request_that_makes_no_sense_is_told_what_would(
    step: str, status: int, says: str, answers: dict[str, Any]
) -> None:
    found, answer = answers[step]
    assert found == status
    assert says in answer["error"]


def test_what_is_no_request_at_all_is_refused(answers: dict[str, Any]) -> None:
    assert answers["no request"]["error"].startswith("Bad request syntax")
    assert answers["a long length"]["error"].startswith("a body has a Content-Length")


def test_requests_made_by_rule_are_answered_as_the_description_says(
    answers: dict[str, Any],
) -> None:
    status, report = answers["fuzzed"]
    assert status == 0, report
    assert "Tested: 6" in report


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("--set", "routing=none"), "there is no controller that --rest could ask"),
        (("--controller", __file__), "not allowed with argument"),
    ],
)
def test_there_is_no_api_where_there_is_no_controller_of_ours(
    words: tuple[str, ...], says: str
) -> None:
    status, _, complaint = longhaul("exec", TRIANGLE, "--rest", *words, "--", "true")
    assert status == 2
    assert says in complaint
