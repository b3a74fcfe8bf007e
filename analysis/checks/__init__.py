"""Claims of a file (`checks`) and conditions of the command line, held against what a run left.

In: `scenario.types.checks.Claim`s, an `Evidence`. Out: a `Ruling` of each. Pure, but that `evidence` reads
a run folder.
"""
