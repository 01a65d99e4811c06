"""Every setting and every command is documented."""

import re
from collections.abc import Iterator
from pathlib import Path

import click
import pytest

from helikon.apps import find_apps
from helikon.cli import cli
from helikon.settings import Settings

DOCS = Path(__file__).parents[2] / "docs"


def all_commands(command: click.Command, words: tuple[str, ...] = ()) -> Iterator[tuple[str, click.Command]]:
    """Yield every command under one, with what is typed for it."""
    yield " ".join(words) or "helikon", command
    if isinstance(command, click.Group):
        context = click.Context(command)
        for name in command.list_commands(context):
            inner = command.get_command(context, name)
            assert inner is not None, f"{' '.join(words)} {name} is listed but does not exist"
            yield from all_commands(inner, (*words, name))


COMMANDS = dict(all_commands(cli))
LEAVES = {words: command for words, command in COMMANDS.items() if not isinstance(command, click.Group)}


def setting_keys() -> list[str]:
    """Return every setting's dotted key."""
    keys = []
    for key, field in Settings.model_fields.items():
        inner = getattr(field.annotation, "model_fields", None)
        keys.extend([f"{key}.{name}" for name in inner] if inner else [key])
    return keys


@pytest.mark.parametrize("key", setting_keys())
def test_every_setting_is_in_the_reference(key: str) -> None:
    assert f"| `{key}` |" in (DOCS / "reference/settings.md").read_text()


def test_the_reference_names_no_setting_that_does_not_exist() -> None:
    named = re.findall(r"^\| `([a-z_.]+)` \|", (DOCS / "reference/settings.md").read_text(), re.M)
    assert set(named) == set(setting_keys())


@pytest.mark.parametrize("words", COMMANDS)
def test_every_command_says_what_it_does(words: str) -> None:
    assert COMMANDS[words].help, f"helikon {words} has no help"


@pytest.mark.parametrize("words", LEAVES)
def test_every_command_shows_an_example(words: str) -> None:
    command = LEAVES[words]
    assert "Example" in (command.help or ""), f"helikon {words} --help shows no example"
    assert f"helikon {words}" in (command.help or ""), f"the example of helikon {words} does not use it"


@pytest.mark.parametrize("words", LEAVES)
def test_every_option_has_help(words: str) -> None:
    options = [p for p in LEAVES[words].params if isinstance(p, click.Option)]
    assert [o.name for o in options if not o.help] == []


@pytest.mark.parametrize("words", LEAVES)
def test_every_command_is_used_in_a_page(words: str) -> None:
    pages = "\n".join(p.read_text() for p in DOCS.rglob("*.md") if p.name != "commands.md")
    assert f"helikon {words}" in pages, f"no page but the generated reference uses helikon {words}"


@pytest.mark.parametrize("table", ["recipes", "objectives", "services"])
def test_everything_that_an_application_registers_is_in_the_reference(table: str) -> None:
    text = (DOCS / "reference/recipes.md").read_text()
    names = [f"{app.name}/{key}" for app in find_apps().values() for key in getattr(app, table)]
    assert names
    assert [name for name in names if f"### `{name}`" not in text] == []
