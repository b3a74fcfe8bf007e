"""What a hierarchical all-reduce sends over the long haul, by the count of the interfaces."""

from contextlib import closing
from pathlib import Path

import pytest

from bench.guests import heard
from longhaul.runs.life import Request, make_job, prepare, read
from longhaul.runs.workloads import Chosen
from scenario.plan.types import ETHERNET_HEADER, TCP_IP_HEADERS, Plan
from tests.run.conftest import HERE

pytestmark = pytest.mark.usefixtures("kernel")

SIZE = 1_800_000
CAMPUSES = 3


def payload_sent(folder: Path, iterations: int) -> tuple[Plan, dict[str, int]]:
    """Payload bytes of all TCP that each long-haul interface has sent: packets have headers of one length
    but for the first two of a connection, whose number does not depend on the iterations."""
    request = Request(
        topology=HERE / "uneven.yaml", workloads=(Chosen(HERE / "hierarchical.yaml"),), overrides=(),
        seed=1, time="virtual", machine="uml", out=None, cpu=None, patience_s=600.0, command=(),
        workload_overrides=(f"iterations={iterations}",),
    )  # fmt: skip
    inputs = read(request)
    folder.mkdir()
    prepare(folder, inputs)
    found: dict[str, list[int]] = {}
    with closing(
        heard(folder, inputs.plan, make_job(request, inputs), "tests.run.counting")
    ) as all_:
        for _, message in all_:
            found |= message.get("sent", {})
    headers = ETHERNET_HEADER + TCP_IP_HEADERS
    return inputs.plan, {name: size - headers * count for name, (size, count) in found.items()}


@pytest.mark.slow
def test_each_campus_sends_and_receives_exactly_two_of_c_minus_one_cths_of_the_buffer(
    tmp_path: Path,
) -> None:
    plan, once = payload_sent(tmp_path / "once", 1)
    _, thrice = payload_sent(tmp_path / "thrice", 3)
    each = {name: (thrice[name] - once[name]) / 2 for name in once}
    due = 2 * (CAMPUSES - 1) * SIZE / CAMPUSES
    borders = {campus["name"]: campus["border"] for campus in plan.campuses}
    for border in borders.values():
        ends = [
            (end, far)
            for link in plan.long_hauls()
            for end, far in (link.ends, link.ends[::-1])
            if end.node == border
        ]
        assert sum(each[end.interface] for end, _ in ends) == due
        assert sum(each[far.interface] for _, far in ends) == due
