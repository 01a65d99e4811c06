"""Sources in radio maps: find, classify and measure them.

``fits``, ``tiles``, ``model``, ``finder``, ``measure`` and ``formats`` are a
plain library on numpy, astropy and torch; ``recipes``, ``service`` and
``commands`` join it to the platform. It is not an imager and does not combine
frequencies. Read ``finder.py`` first.
"""
