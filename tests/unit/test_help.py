"""Every command explains itself in whole sentences that fit a terminal."""

from __future__ import annotations

from collections.abc import Iterator

import click
import pytest
from click.testing import CliRunner

from app.entrypoints.powerd.cli import main


def commands(command: click.Command, path: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    yield path
    if isinstance(command, click.Group):
        for name, inner in command.commands.items():
            yield from commands(inner, (*path, name))


@pytest.mark.parametrize("path", list(commands(main)), ids=" ".join)
def test_no_line_of_a_help_text_is_cut_off_or_too_long(path: tuple[str, ...]) -> None:
    shown = CliRunner().invoke(main, [*path, "--help"], terminal_width=80)
    assert shown.exit_code == 0
    lines = shown.output.replace("[ARGS]...", "").splitlines()
    assert [line for line in lines if "..." in line or len(line) > 80] == []
