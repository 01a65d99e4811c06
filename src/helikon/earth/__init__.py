"""Satellite scenes made ready for neural networks.

From scenes of Landsat, Sentinel-2 and MODIS to calibrated, masked, composited
chips on one grid, and back from a model's answers to maps. It is not an
archive and does no atmospheric correction. Read ``prepare.py`` first.
"""
