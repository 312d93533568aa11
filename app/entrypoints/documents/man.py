"""Writes a man page for each command, from the commands' own help: ``python -m app.entrypoints.documents.man DIR``.

DIR gets ``powerd.1``, ``powerd-farm.1``, ``powerd-farm-list.1`` and so on. The format is man(7) of groff.
"""

from __future__ import annotations

import inspect
import re
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

import click

from app import __version__
from app.entrypoints.powerd.cli import main
from app.entrypoints.terminal.lazy_commands import subcommands

SECTION = "1"
HELP = ["-h", "--help"]
WIDE = 10_000
"""So that click breaks no line: groff does."""

EXIT_STATUS = (
    ("0", "The command did all that it was asked for."),
    ("1", "The command failed, or did only a part; standard error says what failed, why, and what to do."),
    ("2", "The command line is wrong, or a file that it names."),
    ("78", "A setting or a key is wrong: the packaged units do not start the daemon again before it is fixed."),
    ("141", "The output went to a pipe whose reader has ended."),
)

Words = Sequence[str]
"""The words of a command: ``("powerd", "farm", "list")``."""


def pages(command: click.Command = main, words: Words = ("powerd",)) -> Iterator[tuple[str, str]]:
    """Names and content of the files, for the command and every command below it."""
    inner = subcommands(command)
    yield f"{'-'.join(words)}.{SECTION}", "\n".join(_page(command, words, inner)) + "\n"
    for name, each in inner.items():
        yield from pages(each, (*words, name))


def _page(command: click.Command, words: Words, inner: dict[str, click.Command]) -> Iterator[str]:
    context = _context(command, words)
    name = "-".join(words)
    yield f'.TH "{name.upper()}" "{SECTION}" "" "powerd {__version__}" "powerd"'
    yield '.SH "NAME"'
    yield f"{_text(name)} \\- {_text(_short(command))}"
    yield '.SH "SYNOPSIS"'
    pieces = " ".join(command.collect_usage_pieces(context))
    yield f"\\fB{_text(' '.join(words))}\\fR {_text(pieces)}".rstrip()
    yield '.SH "DESCRIPTION"'
    yield from _paragraphs(inspect.cleandoc(command.help or ""))
    if inner:
        yield '.SH "COMMANDS"'
        for each, below in inner.items():
            yield from _term(each, _short(below))
    options = [
        record
        for each in command.get_params(context)
        if isinstance(each, click.Option) and (record := each.get_help_record(context))
    ]
    if options:
        yield '.SH "OPTIONS"'
        for option, meaning in options:
            yield from _term(option, meaning)
    if len(words) == 1:
        yield from _about_all()
    yield '.SH "SEE ALSO"'
    others = [*(words[:end] for end in range(1, len(words))), *((*words, each) for each in inner)]
    yield ",\n".join(f"\\fB{_text('-'.join(other))}\\fR({SECTION})" for other in others) + "."


def _about_all() -> Iterator[str]:
    yield '.SH "ENVIRONMENT"'
    yield "Every setting has a variable, as \\fBPOWERD_CHAIN_URLS\\fR for chain.urls;"
    yield "docs/configuration.md lists them. The command line wins over the variable, and the variable over the file."
    yield '.SH "EXIT STATUS"'
    for code, meaning in EXIT_STATUS:
        yield from _term(code, meaning)


def _context(command: click.Command, words: Words) -> click.Context:
    parent = click.Context(click.Command(""), info_name=" ".join(words[:-1])) if words[:-1] else None
    return click.Context(command, parent=parent, info_name=words[-1], terminal_width=WIDE, help_option_names=HELP)


def _short(command: click.Command) -> str:
    return command.get_short_help_str(WIDE).rstrip(".")


def _term(what: str, meaning: str) -> Iterator[str]:
    yield ".TP"
    yield f"\\fB{_text(what)}\\fR"
    yield _text(meaning)


def _paragraphs(help_text: str) -> Iterator[str]:
    for number, paragraph in enumerate(help_text.split("\n\n")):
        if number:
            yield ".PP"
        if paragraph.startswith("\b"):  # click's mark: the lines are to stay as they are
            yield ".nf"
            yield from (_text(line) for line in paragraph.splitlines()[1:])
            yield ".fi"
        else:
            yield _text(" ".join(paragraph.split()))


def _text(plain: str) -> str:
    r"""In roff, a hyphen to be typed is ``\-``, and a line that begins with a dot or a quote is a request."""
    escaped = plain.replace("\\", "\\e").replace("-", "\\-")
    return re.sub(r"^([.'])", r"\\&\1", escaped, flags=re.MULTILINE)


if __name__ == "__main__":
    directory = Path(sys.argv[1])
    directory.mkdir(parents=True, exist_ok=True)
    for file, content in pages():
        (directory / file).write_text(content)
