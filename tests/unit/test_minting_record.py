"""What was read of a period is kept in a file. A file that is torn anywhere is read whole or not at all."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from app.adapters.codecs import minting_marks
from app.adapters.files.minting_record import FileMintingRecord
from app.domain.blocks import BlockRef
from app.domain.minting.events import Event, Initial, NodeUptimeReported, TimedBlock
from app.domain.model import NodeId, Power

BATCHES: list[list[Event]] = [
    [Initial(NodeId(7), Power.DOWN, Power.UP, 5)],
    [NodeUptimeReported(10, NodeId(7), 3), NodeUptimeReported(20, NodeId(7), 13)],
    [],
    [NodeUptimeReported(30, NodeId(7), 23)],
]


def mark(number: int) -> TimedBlock:
    return TimedBlock(BlockRef(number, f"0x{number:064x}"), 1000 + number)


@contextmanager
def opened(path: Path) -> Iterator[FileMintingRecord]:
    with closing(FileMintingRecord(path)) as record:
        yield record


def filled(path: Path) -> bytes:
    with opened(path) as record:
        assert record.mark is None
        for number, events in enumerate(BATCHES):
            record.add(events, mark(number))
    return path.read_bytes()


def test_what_was_added_is_there_again(tmp_path: Path) -> None:
    path = tmp_path / "made/on/the/way.jsonl"
    filled(path)
    with opened(path) as record:
        assert record.mark == mark(3)
        assert list(record.events()) == [event for events in BATCHES for event in events]
        assert not record.not_kept


def test_wherever_it_is_torn_whole_batches_are_left_and_the_rest_is_added_again(tmp_path: Path) -> None:
    path = tmp_path / "record.jsonl"
    whole = filled(path)
    for length in range(len(whole)):
        for rubbish in (b"", b"\0" * 40):
            path.write_bytes(whole[:length] + rubbish)
            with opened(path) as record:
                begin = 0 if record.mark is None else record.mark.ref.number + 1
                assert list(record.events()) == [event for events in BATCHES[:begin] for event in events]
                for number in range(begin, len(BATCHES)):
                    record.add(BATCHES[number], mark(number))
            assert path.read_bytes() == whole


def test_begun_again_nothing_of_before_is_left(tmp_path: Path) -> None:
    path = tmp_path / "record.jsonl"
    filled(path)
    with opened(path) as record:
        record.begin_again()
        record.add([], mark(9))
    with opened(path) as record:
        assert (record.mark, list(record.events())) == (mark(9), [])


def test_a_second_writer_reads_and_keeps_nothing(tmp_path: Path) -> None:
    path = tmp_path / "record.jsonl"
    whole = filled(path)
    with opened(path), opened(path) as second:
        assert "another `powerd farm minting` writes" in second.not_kept
        assert second.mark == mark(3)
        second.add([], mark(4))
    assert path.read_bytes() == whole


@pytest.mark.parametrize(
    "line",
    [
        b"",
        b"{}",
        b'{"event":"ReadUpTo","block":1}',
        b'{"event":"ReadUpTo","block":1,"ha\xff',
        b'{"event":"ReadUpTo","x":' + b"[" * 100_000,
    ],
    ids=["empty", "no event", "no hash", "no UTF-8", "too deep"],
)
def test_a_mark_that_is_none_is_refused(line: bytes) -> None:
    with pytest.raises(ValueError, match=r".+"):
        minting_marks.decode(line)
    assert minting_marks.encode(mark(1)).startswith(minting_marks.SIGN)
