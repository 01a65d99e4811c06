"""A study's storage over gRPC, for those who know the token.

Optuna's own proxy has no guard, so this serves Optuna's servicer (a private
module of it, tested with the pinned major version) behind an interceptor, with
the desk beside it. The channel is not encrypted: on one machine it stays on
the loopback.
"""

import dataclasses
import hmac
import secrets
import warnings
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import grpc

if TYPE_CHECKING:
    from optuna.storages import BaseStorage

__all__ = ["Address", "ask_desk", "connect", "serve", "stop_desk"]

_TOKEN = "helikon-token"
_NEXT = "/helikon.Desk/Next"
_STOP = b"stop"
_OPTIONS = [("grpc.max_receive_message_length", -1), ("grpc.so_reuseport", 0)]


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Address:
    """Where a study's storage is served.

    Attributes
    ----------
    host : str
        Name or address.
    port : int
        TCP port.
    token : str
        What callers must know; not shown.
    """

    host: str
    port: int
    token: str = dataclasses.field(repr=False)


@contextmanager
def serve(
    storage: "BaseStorage",
    next_trial: Callable[[int], int | None],
    stop: Callable[[], None] = lambda: None,
    *,
    bind: str = "127.0.0.1",
    host: str = "",
) -> Iterator[Address]:
    """Serve a storage and a desk while inside.

    Parameters
    ----------
    storage : optuna.storages.BaseStorage
        On the driver.
    next_trial : callable
        The desk's: a slot to a trial's identifier, or nothing.
    stop : callable
        Called when a worker says that the study shall end.
    bind : str
        Address to listen on, at a free port.
    host : str
        What callers shall dial, if not that.
    """
    from optuna.storages._grpc import servicer
    from optuna.storages._grpc.auto_generated import api_pb2_grpc

    token = secrets.token_urlsafe(32)
    with ThreadPoolExecutor(max_workers=16, thread_name_prefix="study") as pool:
        server = grpc.server(pool, interceptors=[_Guard(token)], options=_OPTIONS)
        api_pb2_grpc.add_StorageServiceServicer_to_server(servicer.OptunaStorageProxyService(storage), server)
        server.add_generic_rpc_handlers([_DeskService(next_trial, stop)])
        port = server.add_insecure_port(f"{bind}:0")
        server.start()
        try:
            yield Address(host=host or bind, port=port, token=token)
        finally:
            server.stop(grace=None).wait()


def connect(address: Address) -> "tuple[BaseStorage, grpc.Channel]":
    """Return the storage that is served at an address, and the channel to it."""
    from optuna.exceptions import ExperimentalWarning
    from optuna.storages import GrpcStorageProxy
    from optuna.storages._grpc.auto_generated import api_pb2_grpc
    from optuna.storages._grpc.client import GrpcClientCache

    bare = grpc.insecure_channel(f"{address.host}:{address.port}", options=_OPTIONS)
    channel = grpc.intercept_channel(bare, _Pass(address.token))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ExperimentalWarning)
        proxy = GrpcStorageProxy(host=address.host, port=address.port)
    proxy.close()
    proxy._channel = channel
    proxy._stub = api_pb2_grpc.StorageServiceStub(channel)
    proxy._cache = GrpcClientCache(proxy._stub)
    return proxy, channel


def ask_desk(channel: grpc.Channel, slot: int) -> int | None:
    """Return the identifier of the trial that a slot runs next, or nothing if it can go home."""
    answer: bytes = channel.unary_unary(_NEXT)(str(slot).encode())
    return int(answer) if answer else None


def stop_desk(channel: grpc.Channel) -> None:
    """Say that the study shall end: no trial is handed out any more."""
    channel.unary_unary(_NEXT)(_STOP)


class _Guard(grpc.ServerInterceptor):  # type: ignore[misc]
    """Lets those pass who know the token."""

    def __init__(self, token: str) -> None:
        self._token = token
        self._refusal = grpc.unary_unary_rpc_method_handler(_refuse)

    def intercept_service(self, continuation: Any, handler_call_details: Any) -> Any:
        """See grpc."""
        said = dict(handler_call_details.invocation_metadata).get(_TOKEN, "")
        if hmac.compare_digest(str(said).encode(), self._token.encode()):
            return continuation(handler_call_details)
        return self._refusal


class _Pass(grpc.UnaryUnaryClientInterceptor):  # type: ignore[misc]
    """Shows the token."""

    def __init__(self, token: str) -> None:
        self._token = token

    def intercept_unary_unary(self, continuation: Any, client_call_details: Any, request: Any) -> Any:
        """See grpc."""
        return continuation(_Details(client_call_details, ((_TOKEN, self._token),)), request)


class _Details(grpc.ClientCallDetails):  # type: ignore[misc]
    def __init__(self, details: Any, metadata: tuple[tuple[str, str], ...]) -> None:
        self.method, self.timeout = details.method, details.timeout
        self.metadata = (*(details.metadata or ()), *metadata)
        self.credentials, self.wait_for_ready = details.credentials, details.wait_for_ready
        self.compression = details.compression


class _DeskService(grpc.GenericRpcHandler):  # type: ignore[misc]
    """The desk as a method of the same server; slots and identifiers as decimal text."""

    def __init__(self, next_trial: Callable[[int], int | None], stop: Callable[[], None]) -> None:
        self._next_trial, self._stop = next_trial, stop

    def service(self, handler_call_details: Any) -> Any:
        """See grpc."""
        if handler_call_details.method != _NEXT:
            return None
        return grpc.unary_unary_rpc_method_handler(self._answer)

    def _answer(self, request: bytes, _context: Any) -> bytes:
        if request == _STOP:
            self._stop()
            return b""
        trial_id = self._next_trial(int(request))
        return b"" if trial_id is None else str(trial_id).encode()


def _refuse(_request: Any, context: Any) -> None:
    context.abort(grpc.StatusCode.UNAUTHENTICATED, "the token is missing or wrong")
