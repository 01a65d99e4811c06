"""Other finders' catalogues: read, classified on the map, and given back with columns more.

It reads CAESAR, PyBDSF, Aegean, Selavy and any table of positions, and writes
each in its own format. It finds no sources and measures none. Read
``classify.py`` first, then ``read.py``.
"""

from helikon.space.catalogues.catalogue import Catalogue
from helikon.space.catalogues.places import Places
from helikon.space.catalogues.read import read_catalogue

__all__ = ["Catalogue", "Places", "read_catalogue"]
