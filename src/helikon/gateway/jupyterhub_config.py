from helikon.gateway.hub import configure  # noqa: D100
from helikon.settings import load

configure(get_config(), load())  # type: ignore[name-defined]  # noqa: F821
