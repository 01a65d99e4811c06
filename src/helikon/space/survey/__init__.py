"""Find the sources of a map of any size, window by window, in bounded memory.

Every window is a task that reads its pixels from the file and writes what it
found beside the output; the driver sees catalogues, never the pixels. It does
not find or measure anything itself (``finder.py`` does). Read ``survey.py``
first, then ``claims.py``: what happens where windows meet.
"""

from helikon.space.survey.plan import ModelFile
from helikon.space.survey.survey import Run, search_map, survey_map

__all__ = ["ModelFile", "Run", "search_map", "survey_map"]
