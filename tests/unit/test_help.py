"""Every command explains itself in whole sentences that fit a terminal."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import click
import pytest
from click.testing import CliRunner

from app.entrypoints.devchain.cli import main as devchain
from app.entrypoints.powerd.cli import main
from app.entrypoints.terminal.lazy_commands import LazyCommand, loaded, subcommands


def commands(command: click.Command, path: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    yield path
    for name, inner in subcommands(command).items():
        yield from commands(inner, (*path, name))


@pytest.mark.parametrize("path", list(commands(main)), ids=" ".join)
def test_no_line_of_a_help_text_is_cut_off_or_too_long(path: tuple[str, ...]) -> None:
    shown = CliRunner().invoke(main, [*path, "--help"], terminal_width=80)
    assert shown.exit_code == 0
    lines = shown.output.replace("[ARGS]...", "").splitlines()
    assert [line for line in lines if "..." in line or len(line) > 80] == []


def numbers(command: click.Command) -> Iterator[tuple[str, click.ParamType[Any]]]:
    for parameter in command.params:
        if isinstance(parameter.type, click.FloatRange | click.types.FloatParamType):
            yield f"{command.name} {parameter.name}", parameter.type
    for inner in subcommands(command).values():
        yield from numbers(inner)


OPTIONS = dict([*numbers(main), *numbers(devchain)])


@pytest.mark.parametrize("option", OPTIONS)
@pytest.mark.parametrize("text", ["nan", "inf", "-inf"])
def test_no_number_may_be_infinite_or_none(option: str, text: str) -> None:
    with pytest.raises(click.BadParameter):
        OPTIONS[option].convert(text, None, None)


def late(command: click.Command) -> Iterator[LazyCommand]:
    if isinstance(command, click.Group):
        for inner in command.commands.values():
            if isinstance(inner, LazyCommand):
                yield inner
            yield from late(loaded(inner))


def test_what_stands_for_a_command_that_is_loaded_late_says_what_the_command_says() -> None:
    stand_ins = list(late(main))
    assert {stand_in.name for stand_in in stand_ins} >= {"farm", "simulate", "minting"}
    for stand_in in stand_ins:
        command = loaded(stand_in)
        assert (stand_in.name, stand_in.short_help) == (command.name, command.short_help)


SLOW = ("app.entrypoints.simulator", "app.entrypoints.wiring", "app.domain.services", "asyncio", "msgspec", "redis")


def test_the_help_of_powerd_and_of_powerd_farm_imports_nothing_that_is_slow() -> None:
    asked = f"""
import sys
from app.entrypoints.powerd.cli import main
for words in (["--help"], ["farm", "--help"]):
    main(words, standalone_mode=False)
print([name for name in {SLOW} if name in sys.modules])
"""
    done = subprocess.run([sys.executable, "-c", asked], capture_output=True, text=True, timeout=60)
    assert done.stderr == ""
    assert done.stdout.splitlines()[-1] == "[]"
