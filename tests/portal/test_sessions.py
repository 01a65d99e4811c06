import pytest

from helikon.portal import sessions
from helikon.portal.sessions import Login, Sessions


def login(browser: str = "b", path: str = "/x") -> Login:
    return Login(browser=browser, next_path=path, verifier="v")


def test_two_tabs_of_one_browser_log_in_at_once() -> None:
    kept = Sessions()
    one, two = kept.begin(login(path="/one")), kept.begin(login(path="/two"))
    finished = [kept.finish(state, "b") for state in (one, two)]
    assert [done.next_path for done in finished if done] == ["/one", "/two"]


def test_a_login_is_finished_once_and_by_the_browser_that_began_it() -> None:
    kept = Sessions()
    assert kept.finish(kept.begin(login()), "another") is None
    state = kept.begin(login())
    assert kept.finish(state, "b") == login()
    assert kept.finish(state, "b") is None
    assert kept.finish("made-up", "b") is None


def test_what_is_too_old_is_forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    kept = Sessions(login_age_s=600, session_age_s=3600)
    monkeypatch.setattr(sessions.time, "monotonic", lambda: 1000.0)
    state, session = kept.begin(login()), kept.open("token")
    monkeypatch.setattr(sessions.time, "monotonic", lambda: 1000.0 + 601)
    assert kept.finish(state, "b") is None
    assert kept.token(session) == "token"
    monkeypatch.setattr(sessions.time, "monotonic", lambda: 1000.0 + 3601)
    assert kept.token(session) is None


def test_a_closed_session_has_no_token() -> None:
    kept = Sessions()
    session = kept.open("token")
    kept.close(session)
    assert kept.token(session) is None
    assert kept.token("") is None


def test_no_more_than_so_many_are_kept_and_the_oldest_goes_first() -> None:
    kept = Sessions(most=2)
    first, second, third = (kept.open(name) for name in ("a", "b", "c"))
    assert [kept.token(one) for one in (first, second, third)] == [None, "b", "c"]
