"""What happened and what it made: runs and models, kept by MLflow.

It does not know what runs now (the backend does) and it keeps no store of its
own: MLflow's database and a folder hold everything. Read ``models.py`` first,
then ``runs.py``; ``tracking.py`` is where the database is made.
"""

__all__: list[str] = []
