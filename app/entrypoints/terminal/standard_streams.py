"""Handles standard streams that are closed, full, or a pipe without a reader: one line, in one place.

When standard output can't be written, the program ends: quietly with 141, as by SIGPIPE, if the reader went away;
else with one line and 2, since 1 is an answer of many commands ("a promise was broken"). Output to standard error
that can't be written is lost, and stops nothing.
"""

from __future__ import annotations

import errno
import io
import os
import sys
from contextlib import suppress
from typing import Any, TextIO

import click

READER_GONE = 141
"""The exit code that a shell gives for a program that SIGPIPE ended."""
NOT_WRITTEN = 2
STDIN, STDOUT, STDERR = 0, 1, 2


class OutputLost(Exception):
    """Standard output does not take the output. This is no `OSError`, which is about the program's own files."""

    def __init__(self, number: int) -> None:
        super().__init__("it is closed" if number == errno.EBADF else os.strerror(number))
        self.reader_gone = number == errno.EPIPE


class StreamsMixin(click.Command):
    """A program whose streams are watched while it runs."""

    def main(self, *args: Any, **extra: Any) -> Any:
        """As click's, and ends with `READER_GONE` or `NOT_WRITTEN` when standard output is lost."""
        _watch()
        try:
            try:
                return super().main(*args, **extra)
            finally:
                if sys.stdout is not None:
                    sys.stdout.flush()
        except OutputLost as lost:
            self._end(lost)
        except BaseExceptionGroup as group:
            found, others = group.split(OutputLost)
            if found is None or others is not None:
                raise
            self._end(_first(found))

    def _end(self, lost: OutputLost) -> None:
        _to_null_device(STDOUT)  # the rest of the buffer goes there when Python ends
        if lost.reader_gone:
            sys.exit(READER_GONE)
        click.echo(f"powerd: standard output can't be written: {lost}", err=True)
        sys.exit(NOT_WRITTEN)


class _Output(io.FileIO):
    def write(self, data: Any, /) -> int:
        try:
            return super().write(data)
        except OSError as error:
            raise OutputLost(error.errno or errno.EIO) from error


class _Closed(io.RawIOBase):
    """Report it once. The rest of the buffer would fail again when Python ends."""

    _said = False

    def writable(self) -> bool:
        return True

    def write(self, data: Any, /) -> int:
        if not self._said:
            self._said = True
            raise OutputLost(errno.EBADF)
        return memoryview(data).nbytes


class _ErrorStream(io.FileIO):
    def write(self, data: Any, /) -> int:
        with suppress(OSError):
            return super().write(data)
        return memoryview(data).nbytes


def _watch() -> None:
    """Only the streams that Python itself made: a test, or another program, may have put others there."""
    closed = [number for number, stream in enumerate((sys.__stdin__, sys.__stdout__, sys.__stderr__)) if stream is None]
    for number in closed:
        _to_null_device(number)  # else the next opened file would get this number
    if sys.stdin is None:
        sys.stdin = open(STDIN, closefd=False)  # noqa: SIM115 - as long as the program
    if sys.stdout is sys.__stdout__:
        sys.stdout = _text(_Closed() if STDOUT in closed else _Output(STDOUT, "w", closefd=False), sys.stdout)
    if sys.stderr is sys.__stderr__:
        sys.stderr = _text(_ErrorStream(STDERR, "w", closefd=False), sys.stderr)


def _text(raw: io.RawIOBase, like: TextIO | None) -> TextIO:
    encoding, errors = ("utf-8", "strict") if like is None else (like.encoding, like.errors or "strict")
    return io.TextIOWrapper(
        io.BufferedWriter(raw),
        encoding=encoding,
        # A terminal that can't show a character is no reason to end.
        errors="backslashreplace" if errors == "strict" else errors,
        line_buffering=getattr(like, "line_buffering", False),
        write_through=getattr(like, "write_through", False),
    )


def _to_null_device(number: int) -> None:
    nowhere = os.open(os.devnull, os.O_RDWR)
    if nowhere != number:
        os.dup2(nowhere, number)
        os.close(nowhere)


def _first(group: BaseExceptionGroup[OutputLost]) -> OutputLost:
    each: BaseException = group
    while isinstance(each, BaseExceptionGroup):
        each = each.exceptions[0]
    assert isinstance(each, OutputLost)
    return each
