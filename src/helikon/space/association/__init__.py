"""Which pieces of emission are one source, and what each source is.

``surroundings`` and ``pairs`` measure, ``evidence`` asks the network,
``judge`` weighs both, ``eye`` looks where the judge is in doubt;
``association`` joins. ``judge_recipe`` and ``eye_recipe`` train the two. Read
``association.py`` first.
"""
