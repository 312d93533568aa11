"""The group of powerd's commands: it shows what went wrong in one line instead of a traceback."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import click

from app.domain.errors import PowerdError
from app.entrypoints.powerd.options import Options
from app.entrypoints.terminal.ending import end_at_once
from app.entrypoints.terminal.interrupts import INTERRUPTED
from app.entrypoints.terminal.lazy_commands import LazyGroup
from app.entrypoints.terminal.standard_streams import StreamsMixin


class CommandGroup(StreamsMixin, LazyGroup):
    """Shows what went wrong in one line instead of a traceback: the thing, and the remedy."""

    def make_context(self, *args: Any, **extra: Any) -> click.Context:
        """As click's; options such as ``--version`` print while they are read."""
        try:
            return super().make_context(*args, **extra)
        except KeyboardInterrupt as end:
            raise click.exceptions.Exit(_interrupted(end)) from None

    def invoke(self, ctx: click.Context) -> object:
        """Run a command; a `PowerdError` becomes a message and an exit code."""
        code, result = 0, None
        try:
            result = super().invoke(ctx)
        except PowerdError as error:
            _print_error(error)
            code = error.exit_code
        except (KeyboardInterrupt, click.Abort) as end:
            code = _interrupted(end)
        except BaseExceptionGroup as group:
            expected, bugs = group.split(PowerdError)
            if bugs is not None or expected is None:
                raise
            errors = list(_each(expected))
            for each in errors:
                _print_error(each)
            code = max(each.exit_code for each in errors)
        if isinstance(ctx.obj, Options) and ctx.obj.is_daemon:
            end_at_once(code)
        if code:
            ctx.exit(code)
        return result


def _interrupted(end: KeyboardInterrupt | click.Abort) -> int:
    """The exit code after Ctrl-C. Other answers than yes to a question are also an `click.Abort`, which is raised."""
    if isinstance(end, click.Abort) and not isinstance(end.__context__, KeyboardInterrupt):
        raise end
    click.echo("powerd: stopped by Ctrl-C", err=True)
    return INTERRUPTED


def _each(group: ExceptionGroup[PowerdError]) -> Iterator[PowerdError]:
    """The errors of a group, and of the groups in it: task groups can be nested."""
    for error in group.exceptions:
        if isinstance(error, ExceptionGroup):
            yield from _each(error)
        else:
            yield error


def _print_error(error: BaseException) -> None:
    from app.adapters.telemetry.log import one_line

    click.echo(f"powerd: {one_line(str(error))}", err=True)
