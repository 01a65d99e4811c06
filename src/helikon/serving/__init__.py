"""A registered model behind HTTP, on BentoML.

It fetches a model from the registry, verifies it, and has BentoML serve it
behind a token. It is not the HTTP server, the batching or the model's own
code: those are BentoML's and the application's ``service.py``. Read
``deploy.py`` first.
"""
