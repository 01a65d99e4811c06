"""What is typed to serve a model."""

from pathlib import Path

from helikon.serving.server import argv, environment, threads
from helikon.settings import ServingSettings


def test_bentoml_listens_where_it_is_told() -> None:
    assert argv("python", host="127.0.0.1", port=8123, timeout_s=600.0) == (
        *("python", "-m", "bentoml", "serve", "helikon.serving.secured:service"),
        *("--host", "127.0.0.1", "--port", "8123", "--api-workers", "1", "--timeout", "600"),
    )


def test_the_environment_holds_no_secret_and_calls_nobody() -> None:
    found = environment(
        ServingSettings(max_upload_mib=2),
        service="m:C",
        model_folder=Path("/m"),
        token_file=Path("/t"),
        home=Path("/h"),
    )
    assert found == {
        "HELIKON_SERVICE": "m:C",
        "HELIKON_MODEL_DIR": "/m",
        "HELIKON_ENDPOINT_TOKEN_FILE": "/t",
        "HELIKON_MAX_BODY_BYTES": "2097152",
        "BENTOML_HOME": "/h",
        "BENTOML_DO_NOT_TRACK": "true",
    }


def test_the_cores_are_shared_out_among_requests() -> None:
    found = [threads(ServingSettings(n_threads=2), n_cores)["OMP_NUM_THREADS"] for n_cores in (1, 2, 8)]
    assert found == ["1", "1", "4"]
