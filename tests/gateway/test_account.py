import stat

from helikon.gateway.account import Attempts, account_user, has_account, make_account, password_fits
from helikon.settings import Settings, load


def test_only_the_right_name_with_the_right_password_fits(settings: Settings) -> None:
    user, password = account_user(settings), make_account(settings)
    assert password_fits(settings, user, password)
    assert not password_fits(settings, user, password + "x")
    assert not password_fits(settings, user, "")
    assert not password_fits(settings, "somebody", password)


def test_nothing_fits_before_there_is_an_account(settings: Settings) -> None:
    assert not has_account(settings)
    assert not password_fits(settings, account_user(settings), "")
    assert not password_fits(settings, "", "")


def test_a_new_password_ends_the_old_one(settings: Settings) -> None:
    old, new = make_account(settings), make_account(settings)
    assert old != new
    assert password_fits(settings, account_user(settings), new)
    assert not password_fits(settings, account_user(settings), old)


def test_the_password_is_written_nowhere_and_the_file_is_private(settings: Settings) -> None:
    password = make_account(settings)
    file = settings.state_dir / "gateway" / "account.json"
    assert password not in file.read_text()
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert stat.S_IMODE(file.parent.stat().st_mode) == 0o700


def test_the_account_has_the_name_in_the_settings_in_lower_case(settings: Settings) -> None:
    named = load(environ={}, overrides={"state_dir": str(settings.state_dir), "gateway": {"user": "Ada"}})
    make_account(settings)
    assert account_user(named) == "ada"
    assert not has_account(named)


def test_after_too_many_wrong_passwords_one_has_to_wait() -> None:
    attempts = Attempts(most=3, window_s=60)
    for second in range(3):
        assert attempts.wait_s(second) == 0
        attempts.failed(second)
    assert attempts.wait_s(10) == 50
    assert attempts.wait_s(60) == 0


def test_a_right_password_forgets_the_wrong_ones() -> None:
    attempts = Attempts(most=1)
    attempts.failed(0)
    attempts.succeeded()
    assert attempts.wait_s(1) == 0
