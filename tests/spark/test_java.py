from pathlib import Path

import pytest

from helikon.errors import Missing
from helikon.spark.java import find_java


def fake_java(folder: Path, says: str) -> Path:
    program = folder / "bin" / "java"
    program.parent.mkdir(parents=True)
    program.write_text(f"#!/bin/sh\necho '{says}' >&2\n")
    program.chmod(0o755)
    return program


def test_java_is_found_under_java_home(tmp_path: Path) -> None:
    program = fake_java(tmp_path, 'openjdk version "21.0.1" 2023-10-17')
    assert find_java({"JAVA_HOME": str(tmp_path)}) == str(program)


@pytest.mark.parametrize(
    ("says", "version"), [('openjdk version "11.0.2" 2019', 11), ('java version "1.8.0_292"', 8)]
)
def test_an_old_java_is_refused_with_what_to_install(tmp_path: Path, says: str, version: int) -> None:
    fake_java(tmp_path, says)
    with pytest.raises(Missing, match=f"got Java {version} at .*apt-get install openjdk-17-jre-headless"):
        find_java({"JAVA_HOME": str(tmp_path)})


def test_no_java_at_all_is_refused_with_what_to_install(tmp_path: Path) -> None:
    with pytest.raises(Missing, match="got none on PATH, expected Java 17 or later; apt-get install"):
        find_java({"PATH": str(tmp_path)})
    with pytest.raises(Missing, match=f"none at {tmp_path}/bin/java.*JAVA_HOME"):
        find_java({"JAVA_HOME": str(tmp_path)})
