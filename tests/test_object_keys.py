import dataclasses
import json
import pickle
from pathlib import Path

import pytest

from helikon.errors import SettingsError
from helikon.object_keys import Keys, find_keys, find_place, keep_keys, write_secret
from helikon.settings import Settings, load

SECRET = "hunter2-of-the-store"


def settings_with(tmp_path: Path, **objects: str) -> Settings:
    return load(environ={}, overrides={"state_dir": str(tmp_path), "objects": objects})


@pytest.fixture
def keyed(tmp_path: Path) -> Settings:
    return settings_with(tmp_path, endpoint="http://s3:9/", access_key="ada", secret_key=SECRET)


def test_the_keys_of_the_settings_are_found_again_by_the_place_alone(keyed: Settings) -> None:
    place = find_place(keyed, {})
    assert (place.endpoint, place.region, place.access_key) == ("http://s3:9", "us-east-1", "ada")
    assert find_keys(place, {}) == Keys(access_key="ada", secret_key=SECRET)
    assert Path(place.file).stat().st_mode & 0o777 == 0o600
    assert SECRET not in repr(place) + repr(find_keys(place, {})) + repr(keyed)


def test_settings_that_are_written_down_or_pickled_hold_no_secret_but_lead_to_it(keyed: Settings) -> None:
    keep_keys(keyed)
    written = json.dumps(keyed.model_dump(mode="json"))
    assert SECRET not in written
    assert SECRET.encode() not in pickle.dumps(keyed)
    for again in (load(environ={}, overrides=json.loads(written)), pickle.loads(pickle.dumps(keyed))):
        assert find_keys(find_place(again, {}), {}).secret_key == SECRET


def test_the_usual_variables_are_used_where_the_settings_say_nothing(tmp_path: Path) -> None:
    environ = {
        "AWS_ENDPOINT_URL": "https://store.example.org",
        "AWS_REGION": "eu-1",
        "AWS_ACCESS_KEY_ID": "grace",
        "AWS_SECRET_ACCESS_KEY": SECRET,
        "AWS_SESSION_TOKEN": "for an hour",
    }
    place = find_place(settings_with(tmp_path), environ)
    assert (place.endpoint, place.region) == ("https://store.example.org", "eu-1")
    assert find_keys(place, {}).session_token == "for an hour"
    elsewhere = dataclasses.replace(place, file="/no/such/file")
    assert find_keys(elsewhere, environ).secret_key == SECRET
    with pytest.raises(SettingsError, match=r"no secret for the access key grace of https://store\.example"):
        find_keys(elsewhere, {"AWS_ACCESS_KEY_ID": "another", "AWS_SECRET_ACCESS_KEY": "x"})


def test_without_any_keys_one_is_nobody_at_amazon(tmp_path: Path) -> None:
    place = find_place(settings_with(tmp_path), {})
    assert place.name == "Amazon S3 (us-east-1)"
    assert find_keys(place, {}) == Keys()
    assert not (tmp_path / "objects").exists()


def test_two_pairs_of_keys_do_not_overwrite_each_other(tmp_path: Path) -> None:
    for name in ("ada", "grace"):
        keep_keys(settings_with(tmp_path, access_key=name, secret_key=f"of {name}"))
    for name in ("ada", "grace"):
        place = find_place(settings_with(tmp_path, access_key=name), {})
        assert find_keys(place, {}).secret_key == f"of {name}"


def test_a_secret_file_is_private_even_where_it_was_not(tmp_path: Path) -> None:
    path = tmp_path / "keys.json"
    path.write_text("{}")
    write_secret(path, {"a": 1})
    assert path.stat().st_mode & 0o777 == 0o600
    assert list(tmp_path.iterdir()) == [path]
