"""What Holistic Trace Analysis makes of Kineto profiles. Run by its own Python (`./setup.sh hta`), told the files.

Prints a line of JSON: for each rank, seconds of compute and the percentage of communication that compute covers."""

import json
import sys

from hta.common.trace import Trace  # type: ignore[import-not-found]
from hta.trace_analysis import TraceAnalysis  # type: ignore[import-not-found]


def main() -> None:
    """Ranks are the files, in their order."""
    files = dict(enumerate(sys.argv[1:]))
    Trace.align_and_filter_trace = lambda self, _: self._align_all_ranks()  # nothing is left out
    found = TraceAnalysis(trace_files=files, trace_dir="/")
    overlap = found.get_comm_comp_overlap(visualize=False)
    spent = found.get_temporal_breakdown(visualize=False)
    covered = dict(zip(overlap["rank"], overlap["comp_comm_overlap_pctg"], strict=True))
    compute = dict(zip(spent["rank"], spent["compute_time(us)"], strict=True))
    print(json.dumps([[float(compute[rank]) / 1e6, float(covered[rank])] for rank in files]))


if __name__ == "__main__":
    main()
