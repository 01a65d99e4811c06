"""Models are published whole, found by name, version and alias, and fetched unchanged."""

import dataclasses
import subprocess
import sys
from pathlib import Path

import pytest
from tests.catalogue.conftest import MakeFolder

from helikon.catalogue.checksums import sha256_of_folder
from helikon.catalogue.models import Model, fetch, fetch_uri, find_model, list_models, publish
from helikon.catalogue.runs import record
from helikon.catalogue.tracking import client
from helikon.errors import EngineError, InputError, NotFound
from helikon.settings import Settings

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning:mlflow", "ignore::FutureWarning:mlflow")
SERVICE = "space/source-finder"


_PUBLISH = """
import sys
from pathlib import Path
from helikon.catalogue.models import publish
from helikon.settings import load

settings = load(environ={}, overrides={"state_dir": sys.argv[1]})
print(publish(settings, Path(sys.argv[2]), "finder", service="space/source-finder").version)
"""


def _published_copy(ready: Settings) -> Path:
    (weights,) = (ready.state_dir / "mlflow" / "artifacts").rglob("weights.safetensors")
    return weights


def test_a_model_keeps_what_it_was_published_with(ready: Settings, make_folder: MakeFolder) -> None:
    folder = make_folder()
    with record(ready, kind="training", name="night") as run:
        pass
    model = publish(
        ready,
        folder,
        "finder",
        service=SERVICE,
        sources={"survey": "FIRST"},
        run_id=run.run_id,
        description="finds sources",
    )
    expected = Model(
        name="finder",
        version=1,
        aliases=("champion",),
        sha256=sha256_of_folder(folder),
        service=SERVICE,
        run_id=run.run_id,
        owner="ada",
        created=model.created,
        sources={"survey": "FIRST"},
        description="finds sources",
    )
    assert model == expected
    assert list_models(ready) == [model]


def test_the_same_folder_again_is_the_same_version(ready: Settings, make_folder: MakeFolder) -> None:
    first = publish(ready, make_folder("one"), "finder", service=SERVICE)
    again = publish(ready, make_folder("two"), "finder", service=SERVICE, alias="trial")
    assert again.version == first.version
    assert again.aliases == ("champion", "trial")
    assert len(list_models(ready)) == 1


def test_another_folder_is_the_next_version_and_takes_the_alias(
    ready: Settings, make_folder: MakeFolder
) -> None:
    publish(ready, make_folder("one", 1.0), "finder", service=SERVICE)
    second = publish(ready, make_folder("two", 2.0), "finder", service=SERVICE)
    assert [(model.version, model.aliases) for model in list_models(ready)] == [
        (2, ("champion",)),
        (1, ()),
    ]
    back = publish(ready, make_folder("again", 1.0), "finder", service=SERVICE)
    assert back.version == 1
    assert find_model(ready, "finder") == back
    assert find_model(ready, "finder/2").aliases == ()
    assert second.sha256 != back.sha256


def test_the_run_that_the_card_names_is_the_models_run(ready: Settings, make_folder: MakeFolder) -> None:
    with record(ready, kind="training", name="night") as run:
        pass
    assert publish(ready, make_folder(run_id=run.run_id), "finder", service=SERVICE).run_id == run.run_id


def test_a_run_of_elsewhere_is_not_taken_from_the_card(ready: Settings, make_folder: MakeFolder) -> None:
    model = publish(ready, make_folder(run_id="0" * 32), "finder", service=SERVICE)
    kept = client(ready).get_run(model.run_id)
    assert kept.data.tags["helikon.kind"] == "publish"
    assert kept.info.status == "FINISHED"


def test_two_processes_that_publish_one_folder_make_one_version(
    ready: Settings, make_folder: MakeFolder
) -> None:
    command = [sys.executable, "-c", _PUBLISH, str(ready.state_dir), str(make_folder())]
    both = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for _ in range(2)]
    assert [process.communicate(timeout=120)[0].strip() for process in both] == ["1", "1"]
    assert len(list_models(ready)) == 1


@pytest.mark.parametrize("uri", ["models:/finder/1", "finder/1", "models:/finder@first", "finder@first"])
def test_a_model_is_found_by_version_and_by_alias(ready: Settings, make_folder: MakeFolder, uri: str) -> None:
    publish(ready, make_folder("one", 1.0), "finder", service=SERVICE, alias="first")
    publish(ready, make_folder("two", 2.0), "finder", service=SERVICE)
    assert find_model(ready, uri).version == 1


def test_a_bare_name_is_the_champion_else_the_newest(ready: Settings, make_folder: MakeFolder) -> None:
    publish(ready, make_folder("one", 1.0), "finder", service=SERVICE, alias="")
    publish(ready, make_folder("two", 2.0), "finder", service=SERVICE, alias="")
    assert find_model(ready, "finder").version == 2
    publish(ready, make_folder("again", 1.0), "finder", service=SERVICE, alias="champion")
    assert find_model(ready, "finder").version == 1


def test_what_is_not_there_is_named_with_what_is(ready: Settings, make_folder: MakeFolder) -> None:
    with pytest.raises(NotFound, match="no model finder: expected none is published; helikon model publish"):
        find_model(ready, "finder")
    publish(ready, make_folder(), "finder", service=SERVICE)
    with pytest.raises(NotFound, match="no model other: expected one of finder"):
        find_model(ready, "other")
    with pytest.raises(NotFound, match="finder has no version 7: expected one of 1"):
        find_model(ready, "finder/7")
    with pytest.raises(NotFound, match="finder has no alias trial: expected one of champion"):
        find_model(ready, "finder@trial")
    with pytest.raises(InputError, match="names no model"):
        find_model(ready, "a/b/c")


@pytest.mark.parametrize("name", ["", "a/b", "a b", "models:", "../up"])
def test_names_that_would_not_come_back_are_refused(
    ready: Settings, make_folder: MakeFolder, name: str
) -> None:
    with pytest.raises(InputError, match="a model's name cannot be used"):
        publish(ready, make_folder(), name, service=SERVICE)
    assert list_models(ready) == []


def test_a_broken_folder_publishes_nothing(ready: Settings, make_folder: MakeFolder) -> None:
    folder = make_folder()
    (folder / "model.json").unlink()
    with pytest.raises(InputError):
        publish(ready, folder, "finder", service=SERVICE)
    assert list_models(ready) == []


def test_a_copy_that_was_cut_short_is_made_again(ready: Settings, make_folder: MakeFolder) -> None:
    folder = make_folder()
    with record(ready, kind="training", name="night") as run:
        pass
    place = f"models/finder-{sha256_of_folder(folder)[:12]}"
    half = folder.parent / "half"
    half.mkdir()
    (half / "weights.safetensors").write_bytes(b"ha")
    client(ready).log_artifacts(run.run_id, str(half), place)  # as a killed publish leaves it
    model = publish(ready, folder, "finder", service=SERVICE, run_id=run.run_id)
    assert sha256_of_folder(fetch(ready, model)) == model.sha256


def test_a_fetched_folder_is_what_was_published(ready: Settings, make_folder: MakeFolder) -> None:
    folder = make_folder()
    (folder / "inner").mkdir()
    (folder / "inner" / "note.txt").write_text("kept")
    fetched = fetch(ready, publish(ready, folder, "finder", service=SERVICE))
    assert fetched == ready.state_dir / "models" / "finder" / "1"
    assert (fetched / "inner" / "note.txt").read_text() == "kept"
    assert sha256_of_folder(fetched) == sha256_of_folder(folder)


def test_a_cache_that_was_changed_is_fetched_again(ready: Settings, make_folder: MakeFolder) -> None:
    model = publish(ready, make_folder(), "finder", service=SERVICE)
    (fetch(ready, model) / "model.json").write_text("changed")
    assert sha256_of_folder(fetch(ready, model)) == model.sha256


def test_a_registry_whose_files_were_changed_is_not_trusted(ready: Settings, make_folder: MakeFolder) -> None:
    model = publish(ready, make_folder(), "finder", service=SERVICE)
    weights = _published_copy(ready)
    weights.write_bytes(weights.read_bytes()[:-1] + b"!")
    with pytest.raises(EngineError, match="not those that were published: got SHA-256"):
        fetch(ready, model)
    assert not (ready.state_dir / "models" / "finder" / "1").exists()


def test_a_version_fetched_before_does_not_need_the_registry(
    ready: Settings, make_folder: MakeFolder
) -> None:
    model = publish(ready, make_folder(), "finder", service=SERVICE)
    folder = fetch(ready, model)
    (ready.state_dir / "mlflow").rename(ready.state_dir / "gone")
    assert fetch_uri(ready, model.uri) == (model, folder)
    with pytest.raises(NotFound):
        fetch_uri(ready, "models:/finder@champion")


def test_a_model_without_a_checksum_is_not_fetched(ready: Settings) -> None:
    with pytest.raises(InputError, match="a model that helikon published"):
        fetch(ready, dataclasses.replace(Model(name="other", version=1)))
