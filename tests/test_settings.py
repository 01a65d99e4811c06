"""Settings: four layers, and each error says which setting, got what, expected what."""

from pathlib import Path

import pydantic
import pytest

from helikon.errors import SettingsError
from helikon.settings import Settings, default_state_dir, environment_names, load


@pytest.fixture(autouse=True)
def _in_an_empty_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def write(text: str, path: str = "helikon.yaml") -> Path:
    file = Path(path)
    file.write_text(text)
    return file


class TestLayers:
    """Defaults, then the file, then the environment, then the caller."""

    def test_defaults_alone_are_enough(self) -> None:
        settings = load(environ={})
        assert settings.backend == "local"
        assert settings.gateway.port == 8000
        assert settings.state_dir == default_state_dir()

    def test_the_file_here_is_stronger_than_defaults(self) -> None:
        write("gateway: {port: 8001}")
        settings = load(environ={})
        assert settings.gateway.port == 8001
        assert settings.gateway.host == "127.0.0.1"

    def test_a_variable_is_stronger_than_the_file_and_leaves_its_neighbours(self) -> None:
        write("gateway: {port: 8001, user: grace}")
        settings = load(environ={"HELIKON_GATEWAY_PORT": "8002"})
        assert (settings.gateway.port, settings.gateway.user) == (8002, "grace")

    def test_the_caller_is_stronger_than_all(self) -> None:
        write("gateway: {port: 8001, user: grace}")
        settings = load(
            environ={"HELIKON_GATEWAY_PORT": "8002"}, overrides={"gateway": {"port": 8003}, "owner": "ada"}
        )
        assert (settings.gateway.port, settings.gateway.user, settings.owner) == (8003, "grace", "ada")

    def test_the_variable_for_the_file_is_stronger_than_the_file_here(self) -> None:
        write("owner: here")
        named = write("owner: named", "other.yaml")
        assert load(environ={"HELIKON_CONFIG": str(named)}).owner == "named"

    def test_the_callers_file_is_stronger_than_the_variable_for_it(self) -> None:
        named, flagged = write("owner: named", "a.yaml"), write("owner: flagged", "b.yaml")
        assert load(flagged, environ={"HELIKON_CONFIG": str(named)}).owner == "flagged"

    def test_an_empty_file_or_section_says_nothing(self) -> None:
        assert load(write(""), environ={}) == load(environ={})
        assert load(write("gateway:\nspark:\n"), environ={}) == load(environ={})

    def test_the_callers_values_are_not_changed(self) -> None:
        overrides = {"gateway": {"port": 1}}
        load(environ={"HELIKON_GATEWAY_USER": "grace"}, overrides=overrides)
        assert overrides == {"gateway": {"port": 1}}


class TestVariables:
    """Every setting has one."""

    def test_each_setting_has_a_variable(self) -> None:
        names = environment_names()
        assert names["HELIKON_STATE_DIR"] == ("state_dir",)
        assert names["HELIKON_SPARK_DRIVER_MEMORY_GIB"] == ("spark", "driver_memory_gib")
        assert len(names) == len(set(names.values()))

    def test_text_is_taken_as_it_is(self) -> None:
        environ = {"HELIKON_OWNER": "0042", "HELIKON_GATEWAY_USER": "yes", "HELIKON_STATE_DIR": "2026"}
        settings = load(environ=environ)
        assert (settings.owner, settings.gateway.user, settings.state_dir.name) == ("0042", "yes", "2026")

    def test_what_is_not_text_is_read_as_yaml(self) -> None:
        environ = {
            "HELIKON_SPARK_CONF": "{spark.ui.enabled: 'false'}",
            "HELIKON_SPARK_DRIVER_MEMORY_GIB": "1.5",
            "HELIKON_SPARK_MASTER": "local[2]",
        }
        spark = load(environ=environ).spark
        assert (spark.conf, spark.driver_memory_gib, spark.master) == (
            {"spark.ui.enabled": "false"},
            1.5,
            "local[2]",
        )

    def test_an_empty_variable_counts_as_not_set(self) -> None:
        assert load(environ={"HELIKON_STATE_DIR": "", "HELIKON_GATEWAY_PORT": ""}) == load(environ={})

    def test_yaml_that_is_broken_is_text_and_refused_by_its_setting(self) -> None:
        with pytest.raises(
            SettingsError, match=r"setting gateway\.port: got '\[1', expected a valid integer"
        ):
            load(environ={"HELIKON_GATEWAY_PORT": "[1"})


class TestStateFolder:
    """The one folder that holds everything."""

    def test_it_follows_the_users_data_folder(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("XDG_DATA_HOME", "/data")
        assert load(environ={}).state_dir == Path("/data/helikon")
        monkeypatch.setenv("XDG_DATA_HOME", "")
        monkeypatch.setenv("HOME", "/home/ada")
        assert load(environ={}).state_dir == Path("/home/ada/.local/share/helikon")

    def test_it_is_absolute_and_home_is_known(self, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
        monkeypatch.setenv("HOME", "/home/ada")
        assert load(overrides={"state_dir": "here"}).state_dir == tmp_path / "here"
        assert load(overrides={"state_dir": "~/there"}).state_dir == Path("/home/ada/there")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("nonsense: 1", "unknown setting nonsense: expected one of state_dir, owner, backend, "),
        ("gateway: {prot: 1}", "unknown setting gateway.prot: expected one of host, port, user, "),
        ("gateway: 3", "setting gateway: got 3, expected a valid dictionary"),
        ("gateway: {port: 99999}", "setting gateway.port: got 99999, expected less than or equal to 65535"),
        ("gateway: {port: eighty}", "setting gateway.port: got 'eighty', expected a valid integer"),
        ("spark: {driver_memory_gib: 0}", "setting spark.driver_memory_gib: got 0, expected greater than 0"),
        ("backend: slurm", "setting backend: got 'slurm', expected 'local'"),
        ("owner: 3", "setting owner: got 3, expected a valid string"),
        ("- a list", "settings file helikon.yaml has the wrong form: got list, expected a mapping"),
        ("a: [", "settings file helikon.yaml cannot be read: got while parsing"),
    ],
)
def test_a_bad_setting_is_one_line(text: str, message: str) -> None:
    write(text)
    with pytest.raises(SettingsError) as refused:
        load(environ={})
    assert str(refused.value).startswith(message)
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize("content", [None, b"\xff\xfe\x00"])
def test_a_file_that_cannot_be_read_is_named(content: bytes | None, tmp_path: Path) -> None:
    path = tmp_path / "other.yaml"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(SettingsError, match=f"settings file {path} cannot be read: got "):
        load(path, environ={})


def test_an_error_does_not_show_what_is_passed_on_to_an_engine() -> None:
    write("spark: {conf: {spark.hadoop.fs.s3a.secret.key: [hunter2]}}")
    with pytest.raises(SettingsError) as refused:
        load(environ={})
    assert "spark.conf.spark.hadoop.fs.s3a.secret.key: got a value of type list" in str(refused.value)
    assert "hunter2" not in str(refused.value)


def test_settings_are_frozen(settings: Settings) -> None:
    with pytest.raises(pydantic.ValidationError, match="frozen"):
        settings.owner = "mallory"  # type: ignore[misc]


def test_settings_survive_being_written_down(settings: Settings) -> None:
    assert load(environ={}, overrides=settings.model_dump(mode="json")) == settings


@pytest.mark.parametrize("variable", ["HELIKON_GATWAY_PORT", "HELIKON_GATEWAY_PROT", "HELIKON_SPARK_CORES"])
def test_a_misspelt_variable_is_an_error_that_names_what_there_is(variable: str) -> None:
    with pytest.raises(SettingsError, match=f"{variable} sets nothing: expected one of .*HELIKON_"):
        load(environ={variable: "1"})


@pytest.mark.parametrize("variable", ["HELIKON_JOB", "HELIKON_PORT", "HELIKON_MODEL_DIR", "HELIKON_SERVICE"])
def test_variables_that_jobs_are_given_are_no_settings(variable: str) -> None:
    load(environ={variable: "1"})
