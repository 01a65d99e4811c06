"""Helikon: AI services for open science in one Python package.

A gateway, Spark, distributed training, model serving and a catalogue; on top
of them applications such as :mod:`helikon.space`. Importing this package
imports nothing heavy: every service is a sub-package of its own. Read
``workload.py`` first, then ``backends/__init__.py``.
"""

__version__ = "0.1.0"
__all__ = ["__version__"]
