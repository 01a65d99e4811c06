"""The command line: ``helikon NOUN VERB``.

One file per noun; each is imported only when it is used, so that
``helikon --help`` stays fast. Results go to stdout, logs and progress to
stderr. It holds no logic of a service: it reads arguments, calls one function
and prints. Read ``root.py`` first.
"""

from helikon.cli.root import cli, main

__all__ = ["cli", "main"]
