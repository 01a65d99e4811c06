from helikon.portal.mlflow import mlflow_root
from helikon.settings import Settings, load


def test_our_own_mlflow_is_asked_under_the_prefix_that_it_is_seen_under(settings: Settings) -> None:
    assert mlflow_root(settings, "/services/portal") == "http://localhost/services/portal/mlflow"


def test_a_server_that_the_settings_name_is_asked_at_its_root() -> None:
    named = load(environ={}, overrides={"tracking_uri": "https://mlflow.example.org/"})
    assert mlflow_root(named, "/services/portal") == "https://mlflow.example.org"
