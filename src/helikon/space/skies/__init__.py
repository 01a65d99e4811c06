"""Made-up skies: radio maps as real arrays would see them, with their truth.

The skies that the network is trained on and the finder is judged on, and what
tests and the demo look at. It is not an imager: it makes no visibilities and
cleans nothing. Read ``simulate.py`` first, then ``scene.py``.
"""

from helikon.space.skies.simulate import Sky, simulate_sky, truth_table

__all__ = ["Sky", "simulate_sky", "truth_table"]
