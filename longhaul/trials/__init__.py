"""Series of runs, each made once and kept: attribution and remedies."""
