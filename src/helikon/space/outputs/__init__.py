"""The files of a catalogue, format by format, and its pictures; ``helikon.space.formats`` writes them all."""
