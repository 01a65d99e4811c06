import functools
import json
import sys
import threading
from pathlib import Path

import pytest

from helikon.errors import InputError
from helikon.spark.shipping import pack, pack_function, unpack, unpack_function
from helikon.spark.targets import find_function


def triple(number: int) -> int:
    return 3 * number


def test_functions_that_workers_can_import_travel_by_name() -> None:
    assert b"json" in pack(json.dumps)
    assert len(pack(json.dumps)) < 100


def test_functions_of_a_module_off_the_import_path_travel_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    root = str(Path(__file__).parents[2])
    monkeypatch.setattr(sys, "path", [entry for entry in sys.path if entry not in ("", root)])
    assert len(pack(triple)) > 200
    assert unpack(pack(functools.partial(triple, 2)))() == 6


def test_functions_of_a_file_travel_whole_and_find_its_neighbours(tmp_path: Path, monkeypatch) -> None:
    (tmp_path / "neighbour_of_half.py").write_text("TWO = 2\n")
    (tmp_path / "halves.py").write_text(
        "def half(number):\n    from neighbour_of_half import TWO\n    return number / TWO\n"
    )
    before = list(sys.path)
    packed = pack_function(find_function(f"{tmp_path}/halves.py:half"))
    monkeypatch.setattr(sys, "path", before)  # as in a worker
    monkeypatch.delitem(sys.modules, "helikon_file_halves")
    assert unpack_function(packed)(3) == 1.5


def test_cached_functions_of_a_file_travel_whole_with_an_empty_cache(tmp_path: Path, monkeypatch) -> None:
    (tmp_path / "squares.py").write_text(
        "import functools\n\n@functools.lru_cache(maxsize=7)\ndef square(n):\n    return n * n\n\n"
        "def both(n):\n    return square(n), square.cache_info()\n"
    )
    function = find_function(f"{tmp_path}/squares.py:both")
    function(1), function(2)
    packed = pack_function(function)
    monkeypatch.delitem(sys.modules, "helikon_file_squares")
    value, info = unpack_function(packed)(5)
    assert value == 25
    assert (info.currsize, info.maxsize) == (1, 7)


def test_what_cannot_be_pickled_is_refused_in_one_line() -> None:
    with pytest.raises(InputError, match=r"triple cannot be sent between .*: got TypeError"):
        pack(functools.partial(triple, threading.Lock()))
