"""The gateway: JupyterHub, its proxy, the portal and MLflow behind one login.

It writes the hub's configuration, keeps the one local account and starts and
stops the platform's process; proxying, spawning and OAuth are JupyterHub's own
work, and the pages are the portal's. Read ``platform.py`` first, then
``hub.py``.
"""
