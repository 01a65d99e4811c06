"""From a recipe's name to a workload."""

import os

import pytest

from helikon.backends.commands import argv
from helikon.errors import InputError, Missing, NotFound
from helikon.settings import Settings
from helikon.training.launch import output_folder, recipe_target, training_job

RECIPE = "tests.training.tiny:line"


def test_a_job_says_what_torchrun_is_told(settings: Settings) -> None:
    job = training_job(settings, RECIPE, options={"b": "2", "a": "1"}, n_processes=2, name="night")
    assert argv(job, "python") == (
        *("python", "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2"),
        *("-m", "helikon.training.main", RECIPE, "--name", "night", "--option", "a=1", "--option", "b=2"),
    )
    assert job.owner == "ada"


def test_the_cores_are_shared_out(settings: Settings) -> None:
    n_cores = len(os.sched_getaffinity(0))
    for n_processes in (1, n_cores, 100 * n_cores):
        job = training_job(settings, RECIPE, n_processes=n_processes)
        assert dict(job.environment) == {"OMP_NUM_THREADS": str(max(1, n_cores // n_processes))}


def test_the_same_call_is_the_same_job_and_another_is_not(settings: Settings) -> None:
    first = training_job(settings, RECIPE, options={"a": "1"})
    assert training_job(settings, RECIPE, options={"a": "1"}) == first
    others = [
        training_job(settings, RECIPE),
        training_job(settings, RECIPE, options={"a": "1"}, n_processes=2),
    ]
    assert len({first.name, *(job.name for job in others)}) == 3


def test_a_long_recipe_still_gets_a_name(settings: Settings) -> None:
    assert len(training_job(settings, f"{'very_' * 30}long:Recipe").name) <= 53


def test_an_unknown_recipe_is_named_with_those_there_are(settings: Settings) -> None:
    with pytest.raises(NotFound, match=r"recipes: got 'space/nothing', expected one of .*space/mask-rcnn"):
        training_job(settings, "space/nothing")
    assert recipe_target("space/mask-rcnn") == "helikon.space.mask_rcnn.recipes:mask_rcnn"


def test_no_process_is_refused(settings: Settings) -> None:
    with pytest.raises(InputError, match="training needs a process: got 0"):
        training_job(settings, RECIPE, n_processes=0)


def test_horovod_is_refused_where_it_is_not_installed(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(Missing, match="the engine horovod is not installed; train with the engine torchrun"):
        training_job(settings, RECIPE, engine="horovod")


def test_the_output_lies_in_the_state_folder(settings: Settings) -> None:
    assert output_folder(settings, "night") == settings.state_dir / "training" / "night"
