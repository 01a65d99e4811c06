"""The colours of the classes, in pictures and in DS9."""

__all__ = ["COLOURS"]

COLOURS = {
    "spurious": "#e5484d",
    "compact": "#1f9ee8",
    "extended": "#f59b00",
    "extended-multi-island": "#c44ad6",
    "flagged": "#2aa567",
}
"""Told apart by most eyes, on white and on black."""
