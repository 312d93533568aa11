"""``powerd farm watch`` as it is used: on a terminal that it gives back, and in a pipe, a line for each change."""

from __future__ import annotations

import os
import re
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from typing import IO

import pytest

from app.domain.model import Power
from app.entrypoints.demo.installation import program
from tests.rigs.farmer import Farm, farm_of
from tests.rigs.terminal import INTERRUPT, Terminal
from tests.slowness import patient

pytestmark = pytest.mark.timeout(180)

ENTER, LEAVE = b"\x1b[?1049h\x1b[?25l", b"\x1b[?25h\x1b[?1049l"
WATCH = ("watch", "--every", "1s")


@pytest.fixture(scope="module")
def farm() -> Iterator[Farm]:
    with farm_of(3) as made:
        yield made


@contextmanager
def piped(farm: Farm, *options: str) -> Iterator[tuple[subprocess.Popen[str], IO[str]]]:
    command = [program("powerd"), "farm", *WATCH, *options]
    environment = {**farm.environment, "POWERD_CHAIN_TIMEOUT_S": "2"}
    with subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            yield process, process.stdout
        finally:
            process.kill()


def test_ctrl_c_gives_the_terminal_back_as_it_was(farm: Farm) -> None:
    terminal = Terminal(farm.environment, "farm", *WATCH)
    terminal.read_until(b"Ctrl-C ends it")
    farm.sets("down", 3)
    terminal.read_until(b"Down")
    terminal.forget()
    terminal.resize(24, 40)
    terminal.read_until(b"woken by")
    terminal.answer(INTERRUPT)
    assert terminal.end() == 0
    assert terminal.said.endswith(LEAVE)
    farm.sets("up", 3)


def test_a_view_is_no_higher_and_no_wider_than_the_terminal(farm: Farm) -> None:
    terminal = Terminal(farm.environment, "farm", *WATCH, lines=6, columns=79)
    terminal.read_until(b"make the window taller")
    terminal.answer(INTERRUPT)
    assert terminal.end() == 0
    start = terminal.said.index(ENTER) + len(ENTER)
    first = terminal.said[start:].split(b"\x1b[J")[0].decode()
    rows = re.sub(r"\x1b\[[\d;?]*[A-Za-z]", "", first).splitlines()
    assert len(rows) == 6
    assert max(map(len, rows)) <= 79


def test_in_a_pipe_a_change_is_a_line_with_its_time(farm: Farm) -> None:
    with piped(farm) as (process, said):
        first = [said.readline() for _ in range(3)]
        stamp = r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d[+-]\d\d:\d\d"
        assert [re.sub(f"^{stamp} ", "", line) for line in first] == [
            f"node {node}: target Up, state Up\n" for node in (1, 2, 3)
        ]
        farm.sets("down", 2)
        assert said.readline().endswith(" node 2: target Down, state Up (was: target Up, state Up)\n")
        farm.says(2, Power.DOWN)
        assert said.readline().endswith(" node 2: target Down, state Down (was: target Down, state Up)\n")
        farm.ask("dev_contracts", 3, 2)
        farm.ask("dev_newBlocks")
        assert said.readline().endswith(" node 3: active contracts: 2 (were: 0)\n")
        farm.sets("up", 2)
        assert said.readline().endswith(" node 2: target Up, state Down (was: target Down, state Down)\n")
        assert said.readline().endswith(" node 2: at risk: wanted up, and still asleep\n")
        farm.says(2, Power.UP)
        said.readline()
        assert said.readline().endswith(" node 2: at risk no more\n")
        process.terminate()
        assert process.wait(patient(60)) == 0


def test_a_chain_that_goes_away_is_said_once_and_asked_again(farm: Farm) -> None:
    """The farmer's endpoint hangs; the farmer sees it in the view, which stays."""
    with farm_of(1) as other, piped(other) as (process, said):
        said.readline()
        other.chain.process.send_signal(signal.SIGSTOP)
        try:
            assert " the chain can't be read: " in said.readline()
        finally:
            other.chain.process.send_signal(signal.SIGCONT)
        assert said.readline().endswith(" the chain can be read again\n")
        process.send_signal(signal.SIGINT)
        assert process.wait(patient(60)) == 0


def test_a_reader_that_goes_away_ends_it(farm: Farm) -> None:
    reader, writer = os.pipe()
    command = [program("powerd"), "farm", *WATCH]
    with subprocess.Popen(command, env=farm.environment, stdout=writer, stderr=subprocess.PIPE, text=True) as process:
        os.close(writer)
        assert os.read(reader, 1)
        os.close(reader)
        farm.ask("dev_contracts", 1, 1)
        farm.ask("dev_newBlocks")
        assert process.wait(patient(60)) == 141
        assert process.stderr is not None
        assert process.stderr.read() == ""
    farm.ask("dev_contracts", 1, 0)


def test_a_chain_that_is_away_at_the_start_ends_it_with_the_way_out(farm: Farm) -> None:
    terminal = Terminal({}, "farm", *WATCH, "--chain", "ws://127.0.0.1:9", "--farm", "1")
    assert terminal.end() == 1
    assert b"name an endpoint that answers: --chain URL" in terminal.said
    assert ENTER not in terminal.said
