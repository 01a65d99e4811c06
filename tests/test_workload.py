"""Workloads are frozen values that survive being written down."""

import dataclasses
import json

import pytest

from helikon.errors import InputError
from helikon.workload import (
    BatchJob,
    ModelServer,
    Resources,
    SparkJob,
    State,
    TrainingJob,
    Workload,
    from_json,
    to_json,
)

ALL: list[Workload] = [
    BatchJob(name="a", command=("ls", "-l")),
    BatchJob(name="b", owner="ada", environment=(("A", "1"),), command=()),
    TrainingJob(
        name="c", recipe="space/mask-rcnn", options=(("lr", "0.1"),), n_processes=2, engine="horovod"
    ),
    SparkJob(name="d", application="tiles.py", arguments=("µ",), conf=(("spark.a", "b"),), n_executors=3),
    ModelServer(
        name="e",
        service="a:B",
        model="models:/a/1",
        resources=Resources(n_cpus=4, memory_gib=0.5, n_gpus=1),
        n_replicas=2,
    ),
]


@pytest.mark.parametrize("workload", ALL, ids=lambda workload: workload.kind)
def test_a_workload_is_read_as_written(workload: Workload) -> None:
    again = from_json(to_json(workload))
    assert again == workload
    assert type(again) is type(workload)
    assert hash(again) == hash(workload)


def test_text_of_equal_workloads_is_equal_and_sorted() -> None:
    text = to_json(BatchJob(name="a", owner="ada", command=("ls",)))
    assert text == to_json(BatchJob(command=("ls",), owner="ada", name="a"))
    assert list(json.loads(text)) == sorted(json.loads(text))


@pytest.mark.parametrize("workload", ALL, ids=lambda workload: workload.kind)
def test_a_workload_is_frozen(workload: Workload) -> None:
    with pytest.raises(dataclasses.FrozenInstanceError):
        workload.name = "other"  # type: ignore[misc]


@pytest.mark.parametrize("name", ["a", "0", "train-mask-rcnn-2", "a" * 53])
def test_a_name_that_kubernetes_takes_is_taken(name: str) -> None:
    assert Workload(name=name).name == name


@pytest.mark.parametrize(
    "name", ["", "-a", "a-", "A", "a_b", "a.b", "a/b", "..", "a b", "é", "a" * 54, "a\n"]
)
def test_a_name_that_kubernetes_refuses_is_refused(name: str) -> None:
    with pytest.raises(InputError) as refused:
        Workload(name=name)
    assert str(refused.value) == (
        f"a workload's name cannot be used: got {name!r}, "
        "expected 1 to 53 lower-case letters, digits and hyphens, not at the ends"
    )


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[]",
        "3",
        "{}",
        '{"kind": "batch"}',
        '{"kind": "nonsense", "name": "a", "resources": {}}',
        '{"kind": "batch", "name": "a", "resources": {}, "command": [], "colour": "red"}',
        '{"kind": "batch", "name": "a", "resources": {"n_cats": 1}, "command": []}',
        '{"kind": "batch", "name": 1, "resources": {}, "command": []}',
    ],
)
def test_what_is_no_workload_is_refused(text: str) -> None:
    with pytest.raises(
        InputError, match=r"this is no workload: got .*, expected JSON with a kind of batch, "
    ):
        from_json(text)


def test_a_stored_workload_with_a_bad_name_is_refused() -> None:
    with pytest.raises(InputError, match="a workload's name cannot be used"):
        from_json('{"kind": "batch", "name": "../x", "resources": {}, "command": []}')


def test_pending_and_running_are_alive_and_nothing_else() -> None:
    assert [state for state in State if state.is_alive] == [State.PENDING, State.RUNNING]


def test_a_state_is_its_word() -> None:
    assert f"{State.SUCCEEDED}" == "succeeded"
