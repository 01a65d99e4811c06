"""Distributed training: one recipe, one loop, any number of processes.

It is no framework for models and knows no science: a recipe is a handful of
functions that an application writes, and torchrun or Horovod starts and joins
the processes. Read ``recipe.py`` first, then ``loop.py``; ``launch.py`` is
what callers use.
"""

__all__: list[str] = []
