"""Applications are found by an entry point, and what they offer by name."""

import importlib.metadata
import subprocess
import sys
from pathlib import Path

import pytest

from helikon import apps
from helikon.apps import App, find_apps, find_recipe, find_service, load
from helikon.errors import Missing, NotFound

OPTICS = App(
    name="optics",
    summary="Look through things.",
    commands="optics:commands",
    recipes={"cnn": "optics.recipes:cnn"},
    services={"lens": "optics.service:Lens"},
)
ACOUSTICS = App(name="acoustics", summary="Listen.", commands="acoustics:commands")


class EntryPoint:
    def __init__(self, app: App) -> None:
        self.app = app

    def load(self) -> App:
        return self.app


@pytest.fixture
def two_apps(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        importlib.metadata, "entry_points", lambda group: [EntryPoint(OPTICS), EntryPoint(ACOUSTICS)]
    )


@pytest.fixture
def no_apps(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importlib.metadata, "entry_points", lambda group: [])


@pytest.mark.usefixtures("two_apps")
def test_apps_are_found_by_name_in_order() -> None:
    assert list(find_apps().items()) == [("acoustics", ACOUSTICS), ("optics", OPTICS)]


@pytest.mark.usefixtures("two_apps")
def test_recipes_and_services_are_found_under_their_app() -> None:
    assert find_recipe("optics/cnn") == "optics.recipes:cnn"
    assert find_service("optics/lens") == "optics.service:Lens"


@pytest.mark.usefixtures("two_apps")
def test_what_no_app_offers_is_refused_with_what_there_is() -> None:
    with pytest.raises(NotFound) as refused:
        find_recipe("optics/rnn")
    assert str(refused.value) == (
        "no application offers this of its recipes: got 'optics/rnn', expected one of optics/cnn"
    )


@pytest.mark.usefixtures("no_apps")
def test_without_apps_that_is_said() -> None:
    assert find_apps() == {}
    with pytest.raises(NotFound, match="none, for no application is installed"):
        find_service("optics/lens")


def test_a_target_is_imported() -> None:
    assert load("helikon.apps:App") is apps.App


def test_a_target_that_needs_what_is_not_installed_says_how_to_install_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "my_needy_recipe.py").write_text("import no_such_package\n")
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(Missing) as missing:
        load("my_needy_recipe:thing")
    assert str(missing.value) == (
        "my_needy_recipe:thing needs a package that is not installed: "
        'got no module named no_such_package; pip install "helikon[all]"'
    )


def test_a_target_whose_module_is_nowhere_is_not_found() -> None:
    with pytest.raises(NotFound, match=r"no module my_mistyped: expected my_mistyped\.py"):
        load("my_mistyped.recipe:thing")


def test_finding_apps_imports_nothing_heavy() -> None:
    code = (
        "import sys; from helikon.apps import find_apps; find_apps()\n"
        "heavy = {'torch','numpy','pyspark','mlflow','bentoml','jupyterhub','astropy','optuna','pandas'}\n"
        "sys.exit(','.join(sorted(heavy & set(sys.modules))) or 0)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
