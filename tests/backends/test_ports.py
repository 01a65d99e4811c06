"""Ports of model servers are free when given, and asked whether they answer."""

import socket
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest

from helikon.backends.ports import answers, free_port
from helikon.errors import EngineError


def test_a_free_port_can_be_listened_on() -> None:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", free_port()))
        listener.listen()


def test_ports_that_are_taken_are_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    port = free_port()
    monkeypatch.setattr("random.sample", lambda ports, k: [port])
    assert free_port() == port
    with pytest.raises(EngineError, match="no free port"):
        free_port(taken=[port])
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", port))
        listener.listen()
        with pytest.raises(EngineError, match="no free port"):
            free_port()


@pytest.mark.parametrize(("code", "is_answer"), [(200, True), (503, False)])
def test_only_200_is_an_answer(code: int, is_answer: bool) -> None:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(code)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    with HTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.handle_request)
        thread.start()
        assert answers(server.server_port) is is_answer
        thread.join()


def test_nobody_there_is_no_answer() -> None:
    assert not answers(free_port())


def test_who_accepts_and_says_nothing_does_not_answer() -> None:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        assert not answers(listener.getsockname()[1], timeout_s=0.1)


def test_who_does_not_speak_http_does_not_answer() -> None:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()

        def greet() -> None:
            connection, _ = listener.accept()
            with connection:
                connection.recv(1000)
                connection.sendall(b"220 smtp\r\n")

        thread = threading.Thread(target=greet)
        thread.start()
        assert not answers(listener.getsockname()[1])
        thread.join()
