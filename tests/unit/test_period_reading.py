"""A period is read from wherever the chain and the file of an earlier reading are, on a chain in memory."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from pathlib import Path

import pytest

from app.adapters.files.minting_record import FileMintingRecord
from app.adapters.simulated.farm_setup import add_farm
from app.adapters.simulated.ledger import Ledger
from app.adapters.simulated.ledger_blocks import Event
from app.domain.errors import ChainUnavailable, HistoryForgotten
from app.domain.minting.events import BlockWithEvents
from app.domain.minting.ledger import MonthLedger
from app.domain.minting.period import Period
from app.domain.model import FarmId, NodeId
from app.entrypoints.farm.minting import reading
from app.entrypoints.farm.minting.reading import PeriodReading, ReadingListener, RecordUnusable
from tests.rigs.simulated.farm_history import SimulatedFarmHistory

pytestmark = pytest.mark.anyio

BEGAN_S = 1_750_000_000
PERIOD = Period(BEGAN_S + 10_000, BEGAN_S + 1_000_000)
NODE = NodeId(1)


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reading, "RETRIES_S", (0.0, 0.0))


def chain(blocks: int) -> SimulatedFarmHistory:
    """A report every 1000 s."""
    ledger = Ledger(BEGAN_S, finality_lag=0)
    add_farm(ledger, b"f" * 32, [b"n" * 32])
    go_on(ledger, blocks)
    return SimulatedFarmHistory(ledger)


def go_on(ledger: Ledger, blocks: int) -> None:
    for _ in range(blocks):
        at_s = BEGAN_S + 1000 * (ledger.best_number + 1)
        block = ledger.produce(at_s)
        assert block is not None
        block.events.append(Event(0, "TfgridModule", "NodeUptimeReported", (1, at_s, at_s - BEGAN_S + 90_000)))


class Farmer:
    """Who looks again and again; ``heard`` are the warnings, ``passed`` the bar."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.heard: list[str] = []
        self.passed: list[tuple[int, int]] = []
        self.on_pass: Callable[[], None] = lambda: None

    async def looks(self, history: SimulatedFarmHistory, farm: int = 1) -> MonthLedger:
        ledger, record = MonthLedger(PERIOD), FileMintingRecord(self.path)
        try:
            listener = ReadingListener(self.heard.append, self._passes)
            await PeriodReading(history, record, FarmId(farm), PERIOD, listener).read(
                ledger, await history.newest(), batch=8
            )
        finally:
            record.close()
        return ledger

    def _passes(self, done: int, total: int) -> None:
        self.passed.append((done, total))
        self.on_pass()


@pytest.fixture
def farmer(tmp_path: Path) -> Farmer:
    return Farmer(tmp_path / "farm-1.jsonl")


async def test_what_stands_in_the_middle_of_the_period_counts_up_to_the_newest_block(farmer: Farmer) -> None:
    history = chain(50)
    ledger = await farmer.looks(history)
    assert ledger.so_far(NODE, BEGAN_S + 50_000).credited_s == 40_000
    assert farmer.passed[-1] == (41, 41)
    assert farmer.heard == []


async def test_a_later_look_reads_the_blocks_that_came_since(farmer: Farmer) -> None:
    history = chain(50)
    await farmer.looks(history)
    go_on(history.ledger, 3)
    history.read.clear()
    ledger = await farmer.looks(history)
    assert history.read == [50, 51, 52, 53]
    assert ledger.so_far(NODE, BEGAN_S + 53_000).credited_s == 43_000


async def test_a_batch_that_fails_in_the_middle_is_asked_for_again(farmer: Farmer) -> None:
    history = chain(50)

    def fail() -> None:
        history.fail_times = 2 if len(farmer.passed) == 2 else 0

    farmer.on_pass = fail
    ledger = await farmer.looks(history)
    assert ledger.so_far(NODE, BEGAN_S + 50_000).credited_s == 40_000
    assert [warning.partition(";")[0] for warning in farmer.heard] == ["the simulated chain does not answer"] * 2


async def test_a_file_that_contradicts_itself_is_named_with_the_remedy(farmer: Farmer) -> None:
    history = chain(50)
    await farmer.looks(history)
    farmer.path.write_bytes(farmer.path.read_bytes() * 2)
    with pytest.raises(RecordUnusable, match=rf"{farmer.path} can't be used: the initial state .* remove it"):
        await farmer.looks(history)


async def test_a_file_that_another_program_empties_meanwhile_is_named(
    farmer: Farmer, monkeypatch: pytest.MonkeyPatch
) -> None:
    history = chain(50)
    await farmer.looks(history)
    blocks = history.blocks

    async def emptied(nodes: Collection[NodeId], first: int, last: int) -> Sequence[BlockWithEvents]:
        farmer.path.write_bytes(b"")
        return await blocks(nodes, first, last)

    monkeypatch.setattr(history, "blocks", emptied)
    with pytest.raises(RecordUnusable, match="Ask again"):
        await farmer.looks(history)


async def test_when_it_goes_on_failing_what_was_read_is_kept(farmer: Farmer) -> None:
    history = chain(50)

    def fail() -> None:
        history.fail_times = 9

    farmer.on_pass = fail
    with pytest.raises(ChainUnavailable):
        await farmer.looks(history)
    history.fail_times, history.forgotten_up_to = 0, 16
    farmer.on_pass = lambda: None
    ledger = await farmer.looks(history)
    assert ledger.so_far(NODE, BEGAN_S + 50_000).credited_s == 40_000, "though the first blocks are forgotten now"


async def test_without_what_was_kept_forgotten_blocks_end_the_reading(farmer: Farmer) -> None:
    history = chain(50)
    history.forgotten_up_to = 16
    with pytest.raises(HistoryForgotten):
        await farmer.looks(history)


async def test_an_endpoint_that_is_behind_what_was_kept_is_not_believed(farmer: Farmer) -> None:
    await farmer.looks(chain(50))
    with pytest.raises(ChainUnavailable, match="the endpoint is behind"):
        await farmer.looks(chain(45))
