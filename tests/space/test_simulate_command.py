"""``helikon space simulate`` and ``helikon space evaluate``, end to end."""

import json
from pathlib import Path

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
    scored = runner.invoke(evaluate, [*arguments, "--json", "--plot", str(tmp_path / "score.png")])
    assert scored.exit_code == 0, scored.output
    assert json.loads(scored.output)["completeness"] == 1.0
    assert (tmp_path / "score.png").is_file()
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
