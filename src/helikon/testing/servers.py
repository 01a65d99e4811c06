"""The part of the contract that is about model servers."""

import httpx
import pytest

from helikon.backends import Backend
from helikon.errors import AlreadyExists
from helikon.testing.polling import eventually
from helikon.workload import BatchJob, ModelServer, State

__all__ = ["ServerContract"]


def server(model: str, **fields: object) -> ModelServer:
    """Return a server of a model that is only a word."""
    return ModelServer(name="finder", owner="ada", service="testing:Server", model=model, **fields)  # type: ignore[arg-type]


class ServerContract:
    """What every backend does with model servers."""

    def test_a_server_runs_once_it_answers(self, backend: Backend) -> None:
        """And is reached where its status says."""
        assert backend.start(server("models:/rcnn/1")) == "finder"
        eventually(lambda: backend.status("finder")[0].state is State.RUNNING)
        (status,) = backend.status("finder")
        assert (status.kind, status.owner) == ("server", "ada")
        assert status.url is not None
        assert httpx.get(status.url).text == "models:/rcnn/1"

    def test_a_server_that_does_not_answer_yet_is_pending(self, backend: Backend) -> None:
        """It has no URL, and can be stopped."""
        backend.start(server("models:/rcnn/1", environment=(("READY", "never"),)))
        eventually(lambda: "GET /readyz" in "\n".join(backend.logs("finder")))
        (status,) = backend.status("finder")
        assert (status.state, status.url) == (State.PENDING, None)
        backend.stop("finder")
        assert backend.status("finder")[0].state is State.STOPPED

    def test_a_stopped_server_does_not_answer(self, backend: Backend) -> None:
        """And has no URL any more."""
        backend.start(server("models:/rcnn/1"))
        url = _url(backend, "finder")
        backend.stop("finder")
        assert backend.status("finder")[0].url is None
        with pytest.raises(httpx.ConnectError):
            httpx.get(url)

    def test_a_living_server_keeps_its_name(self, backend: Backend) -> None:
        """Another model is refused, and the next step is said."""
        backend.start(server("models:/rcnn/1"))
        with pytest.raises(AlreadyExists, match="helikon job stop finder"):
            backend.start(server("models:/rcnn/2"))

    def test_a_server_that_is_not_alive_gives_its_name_up(self, backend: Backend) -> None:
        """To another model, or to a job."""
        backend.start(server("models:/rcnn/1"))
        backend.stop("finder")
        backend.start(server("models:/rcnn/2"))
        url = _url(backend, "finder")
        assert httpx.get(url).text == "models:/rcnn/2"
        backend.stop("finder")
        backend.start(BatchJob(name="finder", command=("python", "-c", "print('a job')")))
        assert backend.status("finder")[0].kind == "batch"

    def test_two_servers_have_two_addresses(self, backend: Backend) -> None:
        """Each answers for its own model."""
        names = ("one", "two")
        for name in names:
            backend.start(ModelServer(name=name, service="testing:Server", model=name))
        urls = [_url(backend, name) for name in names]
        assert [httpx.get(url).text for url in urls] == ["one", "two"]


def _url(backend: Backend, name: str) -> str:
    """Wait until a server runs, and return where."""
    return eventually(lambda: backend.status(name)[0].url or "")
