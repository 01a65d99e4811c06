"""Spark: one warm session, work spread over its Python workers, applications, and tuning with Optuna.

It does not schedule, shuffle or sample itself (Spark and Optuna do), and it
sends no pixels through the JVM: workers write files and return small rows.
Read ``session.py`` first, then ``tasks.py``, then ``tune.py``.
"""

__all__: list[str] = []
