"""How many latencies a schedule costs."""

from traffic.schedule import Schedule, matches


def longest_chain(schedule: Schedule) -> int:
    """How many sends must come one after the other, as each waits for what the one before brought.

    A send that waits for another send alone (of bytes that it will overwrite) waits for no message.
    """
    sender = {there: here for here, there in matches(schedule).items()}
    length: dict[tuple[int, int], int] = {}

    def before(rank: int, index: int) -> int:
        return max((steps(rank, other) for other in schedule[rank][index].after), default=0)

    def steps(rank: int, index: int) -> int:
        """Messages that are through when an operation is done; a send is, as soon as it may begin."""
        if (rank, index) not in length:
            length[rank, index] = before(rank, index)
            if schedule[rank][index].kind != "send":
                arrived = steps(*sender[rank, index]) + 1
                length[rank, index] = max(length[rank, index], arrived)
        return length[rank, index]

    return max((steps(r, i) for r, ops in enumerate(schedule) for i in range(len(ops))), default=0)
