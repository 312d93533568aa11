"""What the farmer wrote last, and which heads are from before."""

from __future__ import annotations

from pathlib import Path

import pytest

from app.adapters.files.last_write import LastWrite, load_last_write, save_last_write
from app.domain.model import Head, HeadKind


@pytest.mark.parametrize(
    ("number", "head_s", "now_s", "missed"),
    [
        (99, 994.0, 1005.0, True),
        (100, 1000.0, 1005.0, False),
        (99, 994.0, 1301.0, False),
        (99, 994.0, 995.0, False),
        (3, 1002.0, 1005.0, False),
    ],
    ids=["behind", "has it", "long ago", "the clock was set back", "a chain that was recreated"],
)
def test_a_head_of_before_misses_it_for_some_minutes(number: int, head_s: float, now_s: float, missed: bool) -> None:
    head = Head(HeadKind.BEST, number, "0x", head_s)
    assert LastWrite(100, 1000.0).is_missed_by(head, now_s) is missed


def test_it_is_kept_where_that_can_be_and_missed_where_not(tmp_path: Path) -> None:
    path = tmp_path / "below" / "last.json"
    assert load_last_write(path) is None
    save_last_write(path, LastWrite(7, 1.5))
    assert load_last_write(path) == LastWrite(7, 1.5)
    path.write_text("{")
    assert load_last_write(path) is None
    save_last_write(path / "x", LastWrite(7, 1.5))
