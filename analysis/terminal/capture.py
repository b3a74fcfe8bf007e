"""The streams of a packet capture in the terminal. In: streams. Out: a rich table."""

from __future__ import annotations

from collections.abc import Mapping
from statistics import median

from rich.console import Console
from rich.text import Text

from analysis import units
from analysis.findings.capture import Key, TcpStream, one_way_s
from analysis.terminal.tables import table


def print_streams(
    here: Mapping[Key, TcpStream], there: Mapping[Key, TcpStream], out: Console
) -> None:
    """A row for each direction that carried payload, most bytes first."""
    made = table(
        "TCP streams", "stream", "bytes", "sent again", "in flight", "RTT p50", "one way p50"
    )
    carrying = [(key, one) for key, one in here.items() if one.payload_bytes]
    for key, one in sorted(carrying, key=lambda pair: (-pair[1].payload_bytes, pair[0])):
        delays = one_way_s(one, there[key]) if key in there else []
        made.add_row(
            Text(str(key)),
            units.size(one.payload_bytes),
            f"{one.retransmitted} of {one.packets}",
            units.size(one.most_in_flight),
            units.time(median(one.rtts_s)) if one.rtts_s else "\N{EN DASH}",
            units.time(median(delays)) if delays else "\N{EN DASH}",
        )
    out.print(made)
    if not carrying:
        out.print("no TCP stream in it carried anything")
