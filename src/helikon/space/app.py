"""How space joins the platform; imports nothing heavy."""

from helikon.apps import App

__all__ = ["app"]

app = App(
    name="space",
    summary="Find, classify and measure sources in radio maps.",
    commands="helikon.space.commands:space",
    recipes={
        "mask-rcnn": "helikon.space.mask_rcnn.recipes:mask_rcnn",
        "judge": "helikon.space.association.judge_recipe:judge",
        "eye": "helikon.space.association.eye_recipe:eye",
        "prior": "helikon.space.association.prior_recipe:prior",
    },
    objectives={"thresholds": "helikon.space.objectives:thresholds"},
    services={"source-finder": "helikon.space.service:SourceFinder"},
    demo="helikon.space.demo.run:run",
    notebooks="helikon.space.notebooks",
)
