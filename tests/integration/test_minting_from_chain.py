"""``powerd farm minting`` reads a period of the farm from the chain, and says what the minting will pay (R13)."""

from __future__ import annotations

import asyncio
import json
import os
import signal
from asyncio.subprocess import PIPE
from collections.abc import AsyncIterator
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from app.adapters.files.minting_record import FileMintingRecord
from app.adapters.simulated.ledger import Ledger
from app.adapters.simulated.ledger_blocks import Event
from app.adapters.simulated.pallet import StoredPower
from app.domain.minting.period import Period
from app.entrypoints.demo.installation import program
from app.entrypoints.farm.minting.table import moment
from app.entrypoints.powerd.cli import main
from tests.rigs.chain.in_process import ChainWorld, chain_world
from tests.rigs.scripted_node import Refusal, ScriptedNode
from tests.slowness import patient

pytestmark = [pytest.mark.anyio, pytest.mark.timeout(180)]

NUMBER = 85
START_S, END_S = Period.at(NUMBER).start_s, Period.at(NUMBER).end_s
BLOCK_S = 1200
GIVEN = ("--start", str(START_S), "--end", str(START_S + 100 * BLOCK_S))
"""A hundred blocks with a report of each node in each."""


def deposit(ledger: Ledger, time_s: int, *events: tuple[str, Any]) -> None:
    block = ledger.produce(time_s)
    assert block is not None
    block.events += [Event(0, "TfgridModule", name, attributes) for name, attributes in events]


def report(node: int, time_s: int, uptime_s: int) -> tuple[str, Any]:
    return "NodeUptimeReported", (node, time_s, uptime_s)


def target(node: int, power: str) -> tuple[str, Any]:
    return "PowerTargetChanged", {"farm_id": 1, "node_id": node, "power_target": power}


def state(node: int, power: object) -> tuple[str, Any]:
    return "PowerStateChanged", {"farm_id": 1, "node_id": node, "power_state": power}


def run_on(ledger: Ledger, blocks: int, *, silent: int = 0) -> None:
    """Blocks in which both nodes report; node ``silent`` does not."""
    for _ in range(blocks):
        at_s = ledger.best.time_ms // 1000 + BLOCK_S
        nodes = [node for node in (1, 2) if node != silent]
        deposit(ledger, at_s, *(report(node, at_s, at_s - START_S + 90_000) for node in nodes))


@pytest.fixture
async def world() -> AsyncIterator[ChainWorld]:
    async with chain_world(2, start_s=START_S - 10 * BLOCK_S) as made:
        yield made


@pytest.fixture(autouse=True)
def caches(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "caches"))
    return tmp_path / "caches"


@pytest.fixture
def no_directory(caches: Path) -> None:
    caches.write_text("a file where the directory should be")


async def ask(url: str, *arguments: str) -> Result:
    """The command, in a thread beside the chain."""
    line = ["farm", "minting", "--farm", "1", "--chain", url, *arguments]
    done: Result = await asyncio.to_thread(CliRunner().invoke, main, line, prog_name="powerd")
    assert done.exception is None or isinstance(done.exception, SystemExit), done.output
    return done


def kept(caches: Path) -> Path:
    (file,) = caches.rglob("*.jsonl")
    return file


async def test_the_chain_and_the_file_that_was_kept_of_it_are_judged_alike(world: ChainWorld, caches: Path) -> None:
    run_on(world.ledger, 50)
    run_on(world.ledger, 3, silent=2)
    run_on(world.ledger, 70)
    told = await ask(world.url, *GIVEN, "--json")
    assert told.exit_code == 0, told.output
    months = [json.loads(line) for line in told.stdout.splitlines()]
    assert [month["node"] for month in months] == [1, 2]
    assert months[0]["credited_s"] == 100 * BLOCK_S
    assert months[1]["credited_s"] == 96 * BLOCK_S + 2460
    file = str(kept(caches))
    offline = CliRunner().invoke(main, ["farm", "minting", "--events", file, *GIVEN, "--json"], prog_name="powerd")
    assert offline.stdout == told.stdout


async def test_a_sleep_a_slow_boot_and_what_they_cost_are_explained(world: ChainWorld) -> None:
    ledger = world.ledger
    run_on(ledger, 20)
    at_s = ledger.best.time_ms // 1000
    deposit(ledger, at_s + 60, target(2, "Down"))
    deposit(ledger, at_s + 120, state(2, {"Down": ledger.best_number + 1}))
    run_on(ledger, 24, silent=2)
    at_s = ledger.best.time_ms // 1000
    deposit(ledger, at_s + 60, target(2, "Up"))
    deposit(ledger, at_s + 4000, state(2, "Up"), report(2, at_s + 4000, 100))
    run_on(ledger, 80, silent=2)
    table = await ask(world.url, *GIVEN)
    assert table.exit_code == 0, table.output
    assert "booted more than 30 minutes after it was called" in table.stdout
    assert "lost: below 95 %" in table.stdout
    explained = await ask(world.url, *GIVEN, "--explain", "2")
    assert "went to sleep: credited" in explained.stdout
    assert "slow boot: credited 0.00 h, lost" in explained.stdout
    assert "node 1" not in explained.stdout


async def test_the_second_look_reads_only_what_is_new(world: ChainWorld) -> None:
    run_on(world.ledger, 60)
    proxy = await world.proxy()
    first = await ask(proxy.url, "--period", str(NUMBER))
    assert first.exit_code == 0, first.output
    assert f"period {NUMBER}: " in first.stdout
    assert "judged up to" in first.stdout
    run_on(world.ledger, 5)
    before = blocks_read(proxy)
    second = await ask(proxy.url, "--period", "current")
    assert second.exit_code == 0, second.output
    assert blocks_read(proxy) - before == 5 + 1, "the five, and the last one known, to see that it is still there"


def blocks_read(proxy: ScriptedNode) -> int:
    """Blocks whose events were asked for."""
    queries = [params for method, params in proxy.asked if method == "state_queryStorageAt"]
    return sum(EVENTS in params[0] for params in queries)


EVENTS = "0x26aa394eea5630e07c48ae0c9558cef780d41e5e16056765bc8461851072c9d7"
"""Substrate's ``System.Events``."""


@pytest.mark.parametrize("stop", [signal.SIGKILL, signal.SIGINT])
async def test_stopped_in_the_middle_it_goes_on_from_what_was_kept(
    world: ChainWorld, caches: Path, stop: signal.Signals
) -> None:
    run_on(world.ledger, 100)
    whole = await ask(world.url, *GIVEN, "--json")
    kept(caches).unlink()
    proxy = await world.proxy()
    enough = asyncio.Event()

    def answer(keys: list[str], block_hash: str = "") -> object:
        if EVENTS in keys and blocks_read(proxy) > 60:
            enough.set()
            return Refusal(-32603, "busy")
        at_hash = block_hash or world.ledger.best.hash
        return [{"block": at_hash, "changes": [[key, world.stored(key, at_hash)] for key in keys]}]

    proxy.answers["state_queryStorageAt"] = answer
    environment = {**os.environ, "POWERD_FOLLOWER_BATCH_BLOCKS": "10"}
    # Where the tests run in the background of a shell, SIGINT is ignored, and the program would inherit that.
    command = ["env", "--default-signal=INT", program("powerd")]
    command += ["farm", "minting", "--farm", "1", "--chain", proxy.url, *GIVEN, "--json"]
    running = await asyncio.create_subprocess_exec(*command, env=environment, stdout=PIPE, stderr=PIPE)
    async with asyncio.timeout(patient(60)):
        await enough.wait()
    running.send_signal(stop)
    _, said = await running.communicate()
    if stop is signal.SIGINT:
        assert running.returncode == 130
        assert "what was read is kept" in said.decode()
    with kept(caches).open("ab") as file:
        file.write(b'{"time":1750002400,"node":2,"event":"PowerTa')
    del proxy.answers["state_queryStorageAt"]
    with closing(FileMintingRecord(kept(caches))) as record:
        mark = record.mark
    assert mark is not None
    assert mark.ref.number > 50
    before = blocks_read(proxy)
    again = await ask(proxy.url, *GIVEN, "--json")
    read = blocks_read(proxy) - before
    assert again.stdout == whole.stdout
    assert read == world.ledger.finalized_number - mark.ref.number + 1, "what was kept is not read again"


async def test_a_chain_that_was_recreated_is_read_again(world: ChainWorld, caches: Path) -> None:
    run_on(world.ledger, 100)
    assert (await ask(world.url, *GIVEN)).exit_code == 0
    async with chain_world(2, start_s=START_S - 10 * BLOCK_S + 7) as other:
        run_on(other.ledger, 100, silent=2)
        again = await ask(other.url, *GIVEN, "--json")
    assert "is of another chain" in again.stderr
    assert json.loads(again.stdout.splitlines()[1])["credited_s"] == 0


async def test_where_the_state_is_forgotten_the_other_endpoint_is_read_or_the_remedy_named(world: ChainWorld) -> None:
    run_on(world.ledger, 100)
    pruned = await world.proxy()
    newest = {world.ledger.best.hash, world.ledger.finalized.hash}

    def answer(keys: list[str], block_hash: str = "") -> object:
        at_hash = block_hash or world.ledger.best.hash
        if at_hash not in newest:
            return Refusal(-32000, f"Client error: UnknownBlock: State already discarded for {at_hash}")
        return [{"block": at_hash, "changes": [[key, world.stored(key, at_hash)] for key in keys]}]

    pruned.answers["state_queryStorageAt"] = answer
    alone = await ask(pruned.url, *GIVEN)
    assert alone.exit_code == 1
    assert "does not have the state of block" in alone.stderr
    assert "--chain" in alone.stderr
    both = await ask(pruned.url, *GIVEN, "--chain", world.url)
    assert both.exit_code == 0, both.output


async def test_a_reading_that_cannot_be_kept_is_still_shown(world: ChainWorld, no_directory: None) -> None:
    run_on(world.ledger, 100)
    told = await ask(world.url, *GIVEN)
    assert told.exit_code == 0, told.output
    assert "can't be kept in" in told.stderr


async def test_an_unknown_farm_and_a_chain_that_is_away_are_named(world: ChainWorld) -> None:
    run_on(world.ledger, 100)
    unknown = await ask(world.url, *GIVEN, "--farm", "77")
    assert unknown.exit_code == 1
    assert "the chain knows no node of farm 77" in unknown.stderr
    stranger = await ask(world.url, *GIVEN, "--explain", "99")
    assert "node 99 is not of farm 1" in stranger.stderr
    away = await ask("ws://127.0.0.1:9", *GIVEN)
    assert away.exit_code == 1
    assert "ws://127.0.0.1:9" in away.stderr
    early = await ask(world.url, "--period", str(NUMBER + 5))
    assert early.exit_code == 2
    assert "that period begins at" in early.stderr


async def test_a_node_that_is_down_when_the_period_begins_has_slept_since_its_down(world: ChainWorld) -> None:
    ledger = world.ledger
    run_on(ledger, 3, silent=2)
    ledger.force_storage("NodePower", 2, StoredPower(down_since=ledger.best_number, target="Down"))
    run_on(ledger, 30, silent=2)
    at_s = ledger.best.time_ms // 1000
    deposit(ledger, at_s + 60, target(2, "Up"))
    deposit(ledger, at_s + 200, state(2, "Up"), report(2, at_s + 200, 100))
    run_on(ledger, 100, silent=2)
    explained = await ask(world.url, *GIVEN, "--explain", "2")
    slept_h = (at_s + 200 - START_S) / 3600
    assert f"woke up: credited {slept_h:.2f} h" in explained.stdout


async def test_r13_a_node_that_said_down_and_stayed_on_is_listed_as_one_that_earns_nothing(world: ChainWorld) -> None:
    ledger = world.ledger
    run_on(ledger, 40)
    at_s = ledger.best.time_ms // 1000
    deposit(ledger, at_s + 60, target(2, "Down"), state(2, {"Down": ledger.best_number + 1}))
    run_on(ledger, 3)
    deposit(ledger, ledger.best.time_ms // 1000 + 60, target(2, "Up"), state(2, "Up"))
    run_on(ledger, 6)
    for _ in range(3):
        ledger.produce(ledger.best.time_ms / 1000 + 6)
    before = await listed(world)
    assert [(node["uncredited_since_s"], node["not_known"]) for node in before] == [(None, ["uncredited_since_s"])] * 2
    told = await ask(world.url)
    assert f"{'h to spare':>10}" in told.stdout
    assert "node 2 earns nothing since" in told.stdout
    one, two = await listed(world)
    assert (one["sleep_left_s"], one["boot_left_s"], one["uncredited_since_s"]) == (None, None, None)
    assert (two["uncredited_since_s"], two["not_known"]) == (at_s + 60, [])
    now_s = ledger.best.time_ms / 1000
    assert two["sleep_left_s"] == at_s + 60 + 24 * 3600 - now_s
    table = await asyncio.to_thread(CliRunner().invoke, main, LIST, env={"POWERD_CHAIN_URLS": world.url})
    rows = table.stdout.splitlines()
    first = next(number for number, row in enumerate(rows) if "UNPAID SINCE" in row) + 1
    assert "  -  " in rows[first]
    assert datetime.fromtimestamp(at_s + 60, UTC).astimezone().strftime("%Y-%m-%d %H:%M") in rows[first + 1]


LIST = ["farm", "list", "--farm", "1"]


async def listed(world: ChainWorld) -> list[dict[str, Any]]:
    done = await asyncio.to_thread(CliRunner().invoke, main, [*LIST, "--json"], env={"POWERD_CHAIN_URLS": world.url})
    assert done.exit_code == 0, done.output
    nodes: list[dict[str, Any]] = json.loads(done.stdout)["nodes"]
    return nodes


@pytest.mark.parametrize(
    "arguments",
    [
        ["--events", "FILE"],
        ["--events", "FILE", "--start", "1", "--end", "2", "--period", "current"],
        ["--events", "FILE", "--start", "1", "--end", "2", "--farm", "1"],
        ["--start", "1"],
        ["--start", "2", "--end", "1"],
        ["--start", "1", "--end", "2", "--period", "3"],
        ["--period", "last"],
    ],
)
def test_options_that_do_not_go_together_are_refused(arguments: list[str]) -> None:
    assert CliRunner().invoke(main, ["farm", "minting", *arguments], prog_name="powerd").exit_code == 2


@pytest.mark.parametrize(("certification", "month"), [("Diy", "h to spare"), ("Certified", "lost: below 98 %")])
async def test_a_certified_node_is_judged_by_98_percent(world: ChainWorld, certification: str, month: str) -> None:
    ledger = world.ledger
    ledger.force_storage("Nodes", 2, {**ledger.read("Nodes", 2), "certification": certification})
    run_on(ledger, 50)
    run_on(ledger, 4, silent=2)
    run_on(ledger, 60)
    told = await ask(world.url, *GIVEN)
    (row,) = (line for line in told.stdout.splitlines() if line.split()[:1] == ["2"])
    assert "97." in row.split()[3]
    assert row.endswith(month)


async def test_a_node_that_was_registered_later_lost_nothing_before_that(world: ChainWorld) -> None:
    ledger = world.ledger
    run_on(ledger, 40)
    in_the_middle_s, after_s = START_S + 50 * BLOCK_S, START_S + 200 * BLOCK_S
    for node, at_s in ((1, in_the_middle_s), (2, after_s)):
        ledger.force_storage("Nodes", node, {**ledger.read("Nodes", node), "created": at_s})
    run_on(ledger, 90, silent=2)
    told = await ask(world.url, *GIVEN)
    one, two = ([line for line in told.stdout.splitlines() if line.split()[:1] == [node]] for node in ("1", "2"))
    assert two[0].split(maxsplit=5) == ["2", *"----", f"no data: registered {moment(after_s)[:10]}"]
    assert "node 2 " not in told.stdout, "no hour of it is called lost"
    assert "h to spare" in one[0]
    assert f"node 1 was registered {moment(in_the_middle_s)} UTC, 16.67 h after the period began" in told.stdout
