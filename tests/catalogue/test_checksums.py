"""SHA-256 of folders, as sha256sum sees them."""

import subprocess
from pathlib import Path

from helikon.catalogue.checksums import sha256_of_file, sha256_of_folder


def _folder(path: Path) -> Path:
    (path / "inner").mkdir(parents=True)
    (path / "b.txt").write_text("two")
    (path / "inner" / "a.bin").write_bytes(bytes(range(256)))
    (path / "B space.txt").write_text("")
    return path


def test_a_files_sum_is_sha256sums(tmp_path: Path) -> None:
    file = _folder(tmp_path / "x") / "b.txt"
    said = subprocess.run(["sha256sum", file], capture_output=True, text=True, check=True).stdout
    assert said.startswith(sha256_of_file(file))


def test_a_folders_sum_is_what_the_documented_command_prints(tmp_path: Path) -> None:
    folder = _folder(tmp_path / "x")
    command = r"find . -type f -printf '%P\0' | LC_ALL=C sort -z | xargs -0 sha256sum | sha256sum"
    said = subprocess.run(["bash", "-c", command], cwd=folder, capture_output=True, text=True, check=True)
    assert said.stdout.split()[0] == sha256_of_folder(folder)


def test_a_folders_sum_changes_with_a_byte_and_with_a_name(tmp_path: Path) -> None:
    folder = _folder(tmp_path / "x")
    first = sha256_of_folder(folder)
    (folder / "b.txt").write_text("twO")
    second = sha256_of_folder(folder)
    (folder / "b.txt").rename(folder / "c.txt")
    assert len({first, second, sha256_of_folder(folder)}) == 3


def test_a_copy_has_the_same_sum(tmp_path: Path) -> None:
    assert sha256_of_folder(_folder(tmp_path / "x")) == sha256_of_folder(_folder(tmp_path / "y"))
