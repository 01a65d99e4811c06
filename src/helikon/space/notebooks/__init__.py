"""Example notebooks of space, which the gateway puts into a user's folder.

They are documents, not code to import. Read ``first-catalogue.ipynb`` first.
"""
