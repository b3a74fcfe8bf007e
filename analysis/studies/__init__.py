"""Findings of studies: what the points of a design say together, and how that is shown.

In: a study and a row per point and seed. Out: effects, indices, the verdict and what turns it; tables and a page.
"""
