"""The portal: what runs, and the door to models and to MLflow.

It is a web application that JupyterHub runs as a service: pages, a small REST
interface, and two proxies that check scopes. It is not a login (the hub is)
and keeps no state but browser sessions. Read ``app.py`` first.
"""
