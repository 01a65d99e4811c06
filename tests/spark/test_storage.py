import warnings

import grpc
import optuna
import pytest

from helikon.spark.storage import Address, ask_desk, connect, serve


@pytest.fixture
def study() -> optuna.Study:
    return optuna.create_study(study_name="guarded", storage=optuna.storages.InMemoryStorage())


def test_who_knows_the_token_reads_and_writes(study: optuna.Study) -> None:
    with serve(study._storage, lambda slot: None) as address:
        storage, channel = connect(address)
        with channel:
            optuna.load_study(study_name="guarded", storage=storage).set_user_attr("seen", 1)
    assert study.user_attrs == {"seen": 1}


def test_who_does_not_know_it_is_refused(study: optuna.Study) -> None:
    with serve(study._storage, lambda slot: 7) as address:
        stranger = Address(host=address.host, port=address.port, token="guess")
        storage, channel = connect(stranger)
        with channel:
            with pytest.raises(grpc.RpcError, match="the token is missing or wrong"):
                storage.get_all_studies()
            with pytest.raises(grpc.RpcError, match="the token is missing or wrong"):
                ask_desk(channel, 0)


def test_optunas_own_client_is_refused(study: optuna.Study) -> None:
    with serve(study._storage, lambda slot: None) as address:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)
            storage = optuna.storages.GrpcStorageProxy(host=address.host, port=address.port)
        with pytest.raises(grpc.RpcError, match="the token is missing or wrong"):
            storage.get_all_studies()
        storage.close()


def test_the_desk_answers_a_trial_or_nothing(study: optuna.Study) -> None:
    with serve(study._storage, {0: 41, 1: None}.get) as address:
        _, channel = connect(address)
        with channel:
            assert ask_desk(channel, 0) == 41
            assert ask_desk(channel, 1) is None


def test_the_token_is_not_shown(study: optuna.Study) -> None:
    with serve(study._storage, lambda slot: None) as address:
        assert address.token not in repr(address)
        assert len(address.token) >= 43
        assert address.host == "127.0.0.1"
