"""Positions, flux densities, sizes and outlines of sources, with their errors. Read ``measure.py`` first."""
