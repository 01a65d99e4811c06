"""Which pieces of emission are one source, and what each source is.

``surroundings`` and ``pairs`` measure, ``evidence`` asks the network,
``judge`` weighs both, ``eye`` looks where the judge is in doubt;
``prior`` asks what the map is like; ``association`` joins. ``judge_recipe``,
``eye_recipe`` and ``prior_recipe`` train the three. Read ``association.py`` first.
"""
