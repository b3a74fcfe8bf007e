"""What adapters counted, in the terminal. In: rows of `summary.json`. Out: a table."""

from __future__ import annotations

from rich.console import Console
from rich.table import Table
from rich.text import Text

from analysis import units
from analysis.form.beside import Adapters, CountedPair, PausedPort
from analysis.terminal.tables import table

NOT_MEANINGFUL = (
    "What was lost cost more or less than at full scale: not meaningful, as too few packets fill a link"
    " for a round trip."
)


def print_adapters(found: list[Adapters], out: Console) -> None:
    """What a queue pair does about losses and marks, all hosts together."""
    made = table(
        "RDMA adapters (all hosts)", "workload", "packets sent", "went back", "NAKs", "timeouts",
        "again", "RNR", "marked", "CNPs", text=1,
    )  # fmt: skip
    for one in found:
        counts = (
            one.sent_packets, one.retransmissions, one.naks_received, one.timeouts, one.duplicates,
            one.not_ready_received, one.marked_packets, one.cnps_received,
        )  # fmt: skip
        made.add_row(Text(one.name), *("–" if count is None else f"{count:,}" for count in counts))
    out.print(made)
    if any(not one.meaningful for one in found):
        out.print(NOT_MEANINGFUL)
    if pairs := [pair for one in found for pair in one.pairs]:
        out.print(_pairs(pairs))


def _pairs(pairs: list[CountedPair]) -> Table:
    """Which queue pairs these were, most of all."""
    made = table(
        "Queue pairs that waited, went back or were notified most", "from", "to", "channel",
        "packets sent", "went back", "NAKs", "timeouts", "CNPs", text=2,
    )  # fmt: skip
    for one in pairs:
        counts = (
            one.channel, one.sent_packets, one.retransmissions, one.naks_received, one.timeouts,
            one.cnps_received,
        )  # fmt: skip
        made.add_row(Text(one.source), Text(one.sink), *(f"{count:,}" for count in counts))
    return made


def print_pauses(found: list[PausedPort], out: Console) -> None:
    """Whom pauses held up, and who paused them."""
    made = table(
        "Ports that pauses held up longest",
        "of",
        "port",
        "paused by",
        "held up",
        "of the time",
        text=3,
    )
    for one in found:
        made.add_row(
            Text(one.node), Text(one.interface), Text(one.towards), units.time(one.paused_s),
            units.percent(one.share),
        )  # fmt: skip
    out.print(made)
