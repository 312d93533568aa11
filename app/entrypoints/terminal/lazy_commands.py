"""Commands whose modules are imported only when they are called, so that ``--help`` and completion are fast."""

from __future__ import annotations

from importlib import import_module

import click


class LazyCommand(click.Command):
    """Stands for a command in its group's list; ``place`` is where it is, as ``module:name``."""

    def __init__(self, name: str, place: str, short_help: str) -> None:
        super().__init__(name, short_help=short_help)
        self._place = place

    def load(self) -> click.Command:
        module, _, name = self._place.partition(":")
        found: click.Command = getattr(import_module(module), name)
        return found


class LazyGroup(click.Group):
    """A group that lists its lazy commands by their short help, and loads one when its name is given."""

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        name, command, rest = super().resolve_command(ctx, args)
        return name, None if command is None else loaded(command), rest


def loaded(command: click.Command) -> click.Command:
    """The command itself: what can run, and has options and help."""
    return command.load() if isinstance(command, LazyCommand) else command


def subcommands(command: click.Command) -> dict[str, click.Command]:
    """Of a group, in the order of its help; each loaded, the hidden ones left out."""
    if not isinstance(command, click.Group):
        return {}
    every = {name: loaded(command.commands[name]) for name in sorted(command.commands)}
    return {name: each for name, each in every.items() if not each.hidden}
