"""Man pages and completion come from the commands' own help, and the programs that show them take them."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest
from click.testing import CliRunner

from app.entrypoints.demo.installation import program
from app.entrypoints.documents import completion
from app.entrypoints.documents.man import pages
from app.entrypoints.powerd.cli import main
from tests.rigs.needs import missing

PAGES = dict(pages())


def words_of(text: str) -> str:
    """As a reader sees them: without roff's marks and line ends."""
    plain = re.sub(r"\\f[BR]|\\&", "", text).replace("\\-", "-").replace("\\e", "\\")
    return " ".join(plain.split())


def test_every_command_has_a_page_that_names_the_pages_below_it() -> None:
    assert {"powerd.1", "powerd-farm.1", "powerd-farm-down.1", "powerd-hold-add.1", "powerd-simulate.1"} <= PAGES.keys()
    for name, page in PAGES.items():
        linked = {f"{other}.1" for other in re.findall(r"\\fB([\w\\-]+)\\fR\(1\)", page.replace("\\-", "-"))}
        assert linked <= PAGES.keys(), name
        assert linked, name


def test_a_page_says_what_the_help_says() -> None:
    page = words_of(PAGES["powerd-farm-down.1"])
    shown = CliRunner().invoke(main, ["farm", "down", "--help"], terminal_width=200).output
    for line in shown.partition("Options:")[2].splitlines():
        assert " ".join(line.split()) in page


def test_groff_takes_every_page_without_a_warning() -> None:
    if shutil.which("groff") is None:
        missing("groff (Debian: apt-get install groff)")
    every = "".join(PAGES.values())
    done = subprocess.run(
        ["groff", "-Kutf8", "-man", "-Tutf8", "-ww"], input=every, capture_output=True, text=True, timeout=60
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert "POWERD-FARM-DOWN(1)" in done.stdout


@pytest.mark.parametrize(
    ("typed", "offered"),
    [
        (["powerd", "f"], ["farm"]),
        (["powerd", "farm", "do"], ["down"]),
        (["powerd", "farm", "down", "--dr"], ["--dry-run"]),
        (["powerd", "--profile", "z"], ["zos"]),
    ],
)
def test_bash_completes_by_the_written_file(typed: list[str], offered: list[str], tmp_path: Path) -> None:
    completion.write(tmp_path)
    asked = (
        'source "$FILE"; COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _powerd_completion powerd; '
        'printf "%s\\n" "${COMPREPLY[@]}"'
    )
    path = f"{Path(program('powerd')).parent}:{os.environ['PATH']}"
    done = subprocess.run(
        ["bash", "--norc", "-c", asked, "bash", *typed],
        env={"PATH": path, "FILE": str(tmp_path / "bash/powerd")},
        capture_output=True,
        text=True,
        timeout=60,
    )
    # bash says that "complete -o nosort" or "compopt" is of no use here: this shell is not interactive.
    assert done.stdout.split() == offered, done.stderr


def test_each_shell_gets_a_file_under_the_name_it_looks_for(tmp_path: Path) -> None:
    completion.write(tmp_path)
    files = {str(file.relative_to(tmp_path)): file.read_text() for file in tmp_path.rglob("*") if file.is_file()}
    assert files.keys() == {"bash/powerd", "zsh/_powerd", "fish/powerd.fish"}
    assert files["zsh/_powerd"].startswith("#compdef powerd\n")
    assert "complete --no-files --command powerd" in files["fish/powerd.fish"]
