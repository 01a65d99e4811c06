"""Models behind HTTP: BentoML servers that a backend runs, and their client.

It is not an HTTP server and not a gateway: BentoML answers requests, and the
portal is the door through which people come. Read ``deploy.py`` first, then
``security.py`` if you write a service.
"""

__all__: list[str] = []
