"""``helikon space simulate`` and ``helikon space evaluate``, end to end."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from helikon.errors import InputError
from helikon.space.evaluate_command import evaluate
from helikon.space.simulate_command import simulate


def test_a_made_up_sky_scores_its_own_truth(tmp_path: Path) -> None:
    runner = CliRunner()
    made = runner.invoke(simulate, ["--out", str(tmp_path), "--size", "192", "--seed", "2", "--json"])
    assert made.exit_code == 0, made.output
    (field,) = json.loads(made.output)
    assert field["n_sources"] > 5
    arguments = [str(tmp_path / "truth.vot"), "--truth", str(tmp_path)]
    plot = tmp_path / "plots" / "score.png"
    scored = runner.invoke(evaluate, [*arguments, "--json", "--plot", str(plot)])
    assert scored.exit_code == 0, scored.output
    assert json.loads(scored.output)["completeness"] == 1.0
    assert plot.is_file()
    assert "completeness 100.0 %" in runner.invoke(evaluate, arguments).output


def test_several_fields_go_to_folders_of_their_seeds(tmp_path: Path) -> None:
    result = CliRunner().invoke(
        simulate,
        ["--out", str(tmp_path), "--size", "128", "--seed", "5", "--n-fields", "2", "--array", "vla-b"],
    )
    assert result.exit_code == 0, result.output
    assert sorted(path.name for path in tmp_path.iterdir()) == ["field-5", "field-6"]
    assert "vla-b" in result.output


def test_an_unknown_array_is_a_user_error(tmp_path: Path) -> None:
    result = CliRunner().invoke(simulate, ["--out", str(tmp_path), "--array", "lofar"])
    assert isinstance(result.exception, InputError)
    assert not list(tmp_path.iterdir())


def test_a_data_set_is_made_and_made_again_without_work(tmp_path: Path) -> None:
    arguments = ["--out", str(tmp_path), "--size", "128", "--shards", "--n-fields", "2", "--processes", "1"]
    first = CliRunner().invoke(simulate, [*arguments, "--split", "test", "--json"])
    assert first.exit_code == 0, first.output
    assert json.loads(first.output)["n_kept"] == 0
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        "manifest.json",
        "test-000000001-askap.fits",
        "test-000000002-askap.fits",
    ]
    again = CliRunner().invoke(simulate, [*arguments, "--split", "test"])
    assert "2 fields, 2 of them kept" in again.output


def test_an_engine_without_a_data_set_is_refused(tmp_path: Path) -> None:
    result = CliRunner().invoke(simulate, ["--out", str(tmp_path), "--engine", "spark"])
    assert result.exit_code == 2
    assert "--shards" in result.output


@pytest.fixture
def nothing_made(monkeypatch: pytest.MonkeyPatch) -> None:
    """See to it that no field is made."""

    def fail(*_: object) -> None:
        raise AssertionError("a field was made")

    monkeypatch.setattr("helikon.space.skies.simulate.make_scene", fail)
    monkeypatch.setattr("helikon.space.skies.data_set.make_shard", fail)


@pytest.mark.usefixtures("nothing_made")
@pytest.mark.parametrize("shards", [[], ["--shards"]], ids=["folder", "shards"])
@pytest.mark.parametrize(
    ("option", "value", "expected"),
    [
        ("--size", "5", "128 to 8192 pixels"),
        ("--primary-beam", "-1", "0 to 1000"),
        ("--n-extended", "-3", "0 to 10000"),
        ("--n-extended", "1e30", "0 to 10000"),
        ("--n-bright", "nan", "0 to 10000"),
        ("--source-width", "inf", "0 to 100"),
        ("--diffuse", "-1", "0 to 1000"),
        ("--diffuse", "nan", "0 to 1000"),
        ("--template-share", "nan", "0 to 1"),
    ],
)
def test_numbers_of_no_sky_are_refused_before_anything_is_made(
    tmp_path: Path, shards: list[str], option: str, value: str, expected: str
) -> None:
    out = tmp_path / "out"
    result = CliRunner().invoke(simulate, ["--out", str(out), option, value, *shards])
    assert isinstance(result.exception, InputError)
    assert str(result.exception).endswith(f"expected {expected}")
    assert not out.exists()


@pytest.mark.usefixtures("nothing_made")
@pytest.mark.parametrize(
    ("option", "value"), [("--seed", "-1"), ("--n-fields", "0"), ("--n-fields", "1000000000")]
)
def test_seeds_and_fields_that_cannot_be_are_usage_errors(tmp_path: Path, option: str, value: str) -> None:
    result = CliRunner().invoke(simulate, ["--out", str(tmp_path), option, value])
    assert result.exit_code == 2
    assert f"{value} is not in the range" in result.output


@pytest.mark.usefixtures("nothing_made")
@pytest.mark.parametrize("arguments", [[], ["--n-fields", "2"], ["--shards"]])
def test_a_file_where_the_folder_goes_is_named_before_anything_is_made(
    tmp_path: Path, arguments: list[str]
) -> None:
    out = tmp_path / "file"
    out.touch()
    result = CliRunner().invoke(simulate, ["--out", str(out), *arguments])
    assert isinstance(result.exception, InputError)
    assert f"the folder {out}" in str(result.exception)
