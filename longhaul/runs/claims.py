"""What must hold of a topology and of what runs on it: all `checks`, each of something that there is.

In: what the files say. Out: the claims, or what is wrong with them.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from analysis.checks.figures import unit_of
from analysis.form.summary import summary_schema
from scenario.checks.claims import strangers
from scenario.expressions.terms import NoExpression
from scenario.text.diagnostics import Diagnostic, InvalidInput
from scenario.topology.elaboration import names_of
from scenario.types.checks import Claim, FigureClaim
from scenario.types.topology import Topology, Workload


def claims_of(topology: Topology, workloads: Sequence[Workload]) -> list[Claim]:
    """All that must hold, the topology's first. Raises InvalidInput where one speaks of what there is not."""
    own = [one for workload in workloads for one in workload.checks]
    names = names_of(topology.campuses, topology.links, topology.timeline)
    claims = [*topology.checks, *own]
    wrong = [*strangers(own, names), *unknown_figures(claims)]
    if wrong:
        raise InvalidInput(wrong)
    return claims


def unknown_figures(claims: Sequence[Claim]) -> Iterator[Diagnostic]:
    """Complaints about claims whose path leads to no figure of any summary."""
    schema = summary_schema()
    for one in claims:
        if isinstance(one, FigureClaim):
            try:
                unit_of(one.path, schema)
            except NoExpression as error:
                yield Diagnostic(
                    one.file, one.line, one.column, error.message, one.name, one.path,
                    error.expected, error.hint,
                )  # fmt: skip
