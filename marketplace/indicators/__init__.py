"""Each indicator is a set of rows and a measure of the same rows: the figure and its list cannot disagree.

Others may import: `indicators.catalogue` (turnover, groups, cumulative), `indicators.targets` (path, reached years).
"""
