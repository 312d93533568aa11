"""Output that can't be written: one line, or silence where the reader went; never a traceback."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from app.entrypoints.demo.installation import program
from tests.rigs.chain.as_process import dev_chain

pytestmark = pytest.mark.timeout(180)

PAYLOAD = "ff\n"
CLOSED = "powerd: standard output can't be written: it is closed\n"
EMPTY = "powerd: the input is empty; give payloads in hex digits, one a line\n"
SMALL = ["--nodes", "2", "--farms", "1", "--hours", "1", "--policy", "always-on"]


@pytest.fixture(scope="module")
def environment(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    with dev_chain(nodes=2) as chain:
        yield {
            "POWERD_CHAIN_URLS": chain.url,
            "POWERD_FARMER_KEY_FILE": chain.about["farmer"]["key_file"],
            "POWERD_HOLDS_DIR": str(tmp_path_factory.mktemp("holds")),
            "POWERD_PROFILE": "zos",
            "XDG_CACHE_HOME": str(tmp_path_factory.mktemp("caches")),
        }


COMMANDS = {
    "help": ["--help"],
    "version": ["--version"],
    "help of a command": ["farm", "--help"],
    "simulate": ["simulate", *SMALL],
    "simulate as JSON": ["simulate", *SMALL, "--json"],
    "list of faults": ["simulate", "--list-faults"],
    "decode": ["decode", "-"],
    "hold list": ["hold", "list"],
    "farm list": ["farm", "list"],
    "farm down": ["farm", "down", "2", "--dry-run"],
    "farm minting": ["farm", "minting"],
}


def run(arguments: list[str], environment: dict[str, str], **streams: Any) -> subprocess.CompletedProcess[str]:
    given = {"stderr": subprocess.PIPE, "input": PAYLOAD, **streams}
    return subprocess.run([program("powerd"), *arguments], env=environment, text=True, timeout=120, **given)


@pytest.mark.parametrize("arguments", COMMANDS.values(), ids=COMMANDS)
def test_a_full_disk_is_one_line_and_2(arguments: list[str], environment: dict[str, str]) -> None:
    with Path("/dev/full").open("w") as full:
        done = run(arguments, environment, stdout=full)
    assert done.returncode == 2
    assert done.stderr.splitlines()[-1] == "powerd: standard output can't be written: No space left on device"
    assert "Traceback" not in done.stderr
    assert "Exception" not in done.stderr


@pytest.mark.parametrize("arguments", COMMANDS.values(), ids=COMMANDS)
def test_a_reader_that_went_away_ends_it_quietly(arguments: list[str], environment: dict[str, str]) -> None:
    reader, writer = os.pipe()
    os.close(reader)
    try:
        done = run(arguments, environment, stdout=writer)
    finally:
        os.close(writer)
    assert done.returncode == 141
    assert done.stderr == ""


@pytest.mark.parametrize("name", ["help", "decode", "farm list", "simulate"])
def test_a_closed_stream_is_no_traceback(name: str, environment: dict[str, str]) -> None:
    shell = f'exec {program("powerd")} "$@" '
    for closed, code in ((">&-", 2), ("<&- >/dev/null", None), ("2>&- >/dev/null", None), ("<&- >&- 2>&-", None)):
        done = subprocess.run(
            ["/bin/sh", "-c", shell + closed, "sh", *COMMANDS[name]],
            env=environment,
            input=PAYLOAD,
            capture_output=True,
            text=True,
            timeout=120,
        )
        assert "Traceback" not in done.stderr
        assert done.returncode == code if code is not None else done.returncode in (0, 1, 2, 3)
        said = {">&-": CLOSED, "<&- >/dev/null": EMPTY if name == "decode" else ""}
        assert done.stderr == said.get(closed, "")


def test_complaints_that_can_not_be_written_change_nothing(environment: dict[str, str]) -> None:
    with Path("/dev/full").open("w") as full:
        done = run(["farm", "down", "9"], environment, stdout=subprocess.PIPE, stderr=full)
    assert (done.returncode, done.stdout) == (1, "")


def test_the_dev_chain_too() -> None:
    with Path("/dev/full").open("w") as full:
        done = subprocess.run(
            [program("powerd-devchain"), "--port", "0"], stdout=full, stderr=subprocess.PIPE, text=True, timeout=120
        )
    assert done.returncode == 2
    assert done.stderr == "powerd: standard output can't be written: No space left on device\n"
