"""Lines of a log come whole, whatever writes it."""

from pathlib import Path

from helikon.backends.logs import lines


def test_a_log_that_is_not_there_has_no_lines(tmp_path: Path) -> None:
    assert list(lines(tmp_path / "log")) == []


def test_lines_have_no_line_ends(tmp_path: Path) -> None:
    log = tmp_path / "log"
    log.write_bytes("one\r\n\ntwo µ\nthree".encode())
    assert list(lines(log)) == ["one", "", "two µ", "three"]


def test_a_line_that_grows_is_yielded_once_and_whole(tmp_path: Path) -> None:
    log = tmp_path / "log"
    log.write_bytes(b"on")
    pieces = iter([b"e \xc2", b"\xb5\ntw", b"o", b" and its end"])

    def grow() -> bool:
        piece = next(pieces, None)
        if piece is not None:
            with log.open("ab") as file:
                file.write(piece)
        return piece is not None

    assert list(lines(log, is_growing=grow, interval_s=0)) == ["one µ", "two and its end"]


def test_what_is_written_before_the_end_is_seen(tmp_path: Path) -> None:
    log = tmp_path / "log"
    log.write_bytes(b"")

    def ends_after_a_last_word() -> bool:
        log.write_bytes(b"last words\n")
        return False

    assert list(lines(log, is_growing=ends_after_a_last_word)) == ["last words"]


def test_a_long_line_is_one_line(tmp_path: Path) -> None:
    log = tmp_path / "log"
    log.write_bytes(b"x" * 300_000 + b"\ny\n")
    assert [len(line) for line in lines(log)] == [300_000, 1]
