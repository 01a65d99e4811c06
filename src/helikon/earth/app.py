"""How earth joins the platform; imports nothing heavy."""

from helikon.apps import App

__all__ = ["app"]

app = App(
    name="earth",
    summary="Prepare satellite scenes for neural networks, and map what models say.",
    commands="helikon.earth.commands:earth",
    services={"classifier": "helikon.earth.service:Classifier"},
)
