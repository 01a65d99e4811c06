"""The demo: one radio map through every service of the platform.

It calls what users call, on the real engines, and stops what it starts. It
holds no science of its own. Read ``run.py`` first, then ``steps.py``.
"""
