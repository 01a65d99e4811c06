"""Sources in radio maps: find, classify and measure them.

``fits``, ``finder``, ``model`` and ``formats`` are a plain library on numpy,
astropy and ONNX Runtime, with rooms of their own for what a source is
(``association``), the network (``mask_rcnn``), ``measures`` and files
(``outputs``). ``survey`` searches maps of any size, ``catalogues`` classifies
those of other finders, ``skies`` makes maps up and ``evaluation`` judges.
``app``, ``commands`` and ``service`` join it to the platform. It is not an
imager and does not combine frequencies. Read ``finder.py`` first.
"""
