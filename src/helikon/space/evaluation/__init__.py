"""How good a catalogue is, where the truth is known.

Entries are matched to true sources, and completeness, reliability and class
scores are counted. It does not find or measure anything itself. Read
``score.py`` first.
"""
