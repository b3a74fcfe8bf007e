"""Each lab's marking, a module each: `mark(work)` yields a `Marked` for every task of its `check.yaml`.

`fair(drawn)` says whether parameters are away from a tie, `prepare(folder, drawn)` adds to a student's folder
what no template can say; a module has them where it needs them.
"""
