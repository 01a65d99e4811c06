"""helikon model: publish, list, show, serve, stop."""

import json
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner, Result
from safetensors.numpy import save_file

from helikon.backends.local import LocalBackend
from helikon.cli import main
from helikon.cli.root import cli
from helikon.errors import HelikonError, InputError, NotFound
from helikon.settings import load
from helikon.workload import ModelServer

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning:mlflow", "ignore::FutureWarning:mlflow")
ROOT = Path(__file__).parents[2]
SERVICE = "tests.serving.tiny_service:Scale"


@pytest.fixture(scope="module")
def state(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One state folder for all tests here, since each of its own costs an MLflow database."""
    return tmp_path_factory.mktemp("cli")


@pytest.fixture(autouse=True)
def _here(state: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HELIKON_STATE_DIR", str(state / "state"))
    monkeypatch.setenv("HELIKON_OWNER", "ada")
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    monkeypatch.chdir(state)


@pytest.fixture(scope="module")
def folder(state: Path) -> Path:
    """A model folder."""
    made = state / "model"
    made.mkdir()
    save_file({"factor": np.array(3.0, np.float32)}, made / "weights.safetensors")
    (made / "model.json").write_text("{}")
    return made


def _run(*arguments: str) -> Result:
    return CliRunner().invoke(cli, ["model", *arguments], catch_exceptions=False)


def test_nothing_is_published_at_first() -> None:
    assert _run("list").stderr.startswith("No model is published yet")
    assert json.loads(_run("list", "--json").stdout) == []


def test_to_say_that_nothing_is_published_imports_nothing_heavy(
    imported: Callable[[str, set[str]], set[str]],
) -> None:
    code = "from helikon.cli import main; main(['model', 'list', '--json'])"
    assert imported(code, {"helikon.cli", "mlflow", "bentoml", "torch", "numpy"}) == {"helikon.cli"}


def test_a_folder_is_published_shown_and_listed(folder: Path) -> None:
    said = _run("publish", str(folder), "--name", "scale", "--service", SERVICE, "--source", "survey=FIRST")
    assert said.exit_code == 0
    assert said.stdout.startswith("models:/scale/1  SHA-256 ")
    assert "helikon model serve scale" in said.stderr
    shown = _run("show", "scale").stdout
    for text in ("models:/scale/1", "champion", SERVICE, "ada", "source survey FIRST"):
        assert text in shown
    (listed,) = json.loads(_run("list", "--json").stdout)
    assert (listed["name"], listed["version"], listed["sources"]) == ("scale", 1, {"survey": "FIRST"})
    assert listed == json.loads(_run("show", "scale@champion", "--json").stdout)
    assert "scale" in _run("list").stdout


def test_the_service_can_be_named_by_the_card(folder: Path, tmp_path: Path) -> None:
    named = tmp_path / "named"
    named.mkdir()
    (named / "weights.safetensors").write_bytes((folder / "weights.safetensors").read_bytes())
    (named / "model.json").write_text(json.dumps({"service": "space/source-finder"}))
    said = _run("publish", str(named), "--name", "finder", "--json")
    assert json.loads(said.stdout)["service"] == "space/source-finder"


def test_a_model_is_served_and_stopped(folder: Path, state: Path) -> None:
    _run("publish", str(folder), "--name", "scale", "--service", SERVICE)
    said = _run("serve", "scale", "--name", "from-cli", "--json")
    try:
        endpoint = json.loads(said.stdout)
        assert endpoint["name"] == "from-cli"
        assert endpoint["url"].startswith("http://127.0.0.1:")
        assert Path(endpoint["token_file"]).read_text().strip() not in said.output
    finally:
        assert _run("stop", "from-cli").stdout == "from-cli: stopped\n"
    assert _run("stop", "from-cli").stdout == "from-cli: was stopped already\n"


@pytest.fixture
def servers(state: Path) -> Iterator[LocalBackend]:
    """Two servers of one model, and one of another, that do nothing."""
    settings = load(overrides={"state_dir": str(state / "state")})
    idle = (sys.executable, "-c", "import time; time.sleep(600)")
    backend = LocalBackend(settings, commands=lambda workload, python: idle)
    for name, model in (("trial", "pair/2"), ("old", "pair/1"), ("alone", "Single_one/1")):
        backend.start(ModelServer(name=name, service="none:None", model=f"models:/{model}"))
    yield backend
    for status in backend.status():
        backend.stop(status.name)


def test_a_server_is_stopped_by_the_name_of_its_model_too(servers: LocalBackend) -> None:
    assert _run("stop", "Single_one").stdout == "alone: stopped\n"
    with pytest.raises(InputError, match=r"several servers serve the model pair: got .*old"):
        _run("stop", "pair")
    assert _run("stop", "models:/pair/2").stdout == "trial: stopped\n"
    assert _run("stop", "pair").stdout == "old: stopped\n"
    with pytest.raises(NotFound, match="expected none runs"):
        _run("stop", "pair")


def test_a_name_that_is_no_servers_is_answered_with_those_that_run(servers: LocalBackend) -> None:
    _run("stop", "old")
    with pytest.raises(NotFound, match=r"one of .*trial \(models:/pair/2\)"):
        _run("stop", "nothing")
    assert _run("stop", "old").stdout == "old: was stopped already\n"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("show", "nothing"), "no model nothing: expected one of "),
        (("serve", "nothing"), "no model nothing: expected one of "),
        (("stop", "nothing"), "nor one of a model of that name: expected none runs"),
        (("publish", "nowhere", "--name", "x"), "nowhere is no model folder: got no folder"),
        (
            ("publish", "model", "--name", "x", "--service", "space/nothing"),
            "of its services: got 'space/nothing'",
        ),
        (
            ("publish", "model", "--name", "a/b", "--service", SERVICE),
            "a model's name cannot be used: got 'a/b'",
        ),
    ],
)
def test_what_cannot_be_done_is_said_in_one_line(
    folder: Path, arguments: tuple[str, ...], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as caught:
        main(["model", *arguments])
    said = capsys.readouterr().err
    assert caught.value.code == 1
    assert message in said
    assert said.startswith("helikon: ")
    assert said.count("\n") == 1


@pytest.mark.parametrize(
    "arguments",
    [
        ("publish", "model", "--name", "x"),
        ("publish", "model", "--name", "x", "--service", "a:b", "--source", "x"),
    ],
)
def test_wrong_usage_exits_with_2(folder: Path, arguments: tuple[str, ...]) -> None:
    assert _run(*arguments).exit_code == 2


def test_errors_are_of_the_drawn_tree(folder: Path) -> None:
    with pytest.raises(HelikonError):
        _run("show", "nothing")
