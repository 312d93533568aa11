"""The time left until the minting's deadlines, where it is known, and else that it is not (R13)."""

from __future__ import annotations

from pathlib import Path

import pytest

from app.adapters.files.standings import load_standings, save_standings
from app.domain.minting.month import Month
from app.domain.minting.standing import (
    UNKNOWN,
    Deadline,
    DeadlineKind,
    Known,
    Seen,
    Standing,
    next_deadline,
    standing,
)
from app.domain.model import NodeId, NodePower, Power, PowerState

NOW_S = 1_750_100_000
HOUR_S = 3600
UP = NodePower(PowerState(Power.UP), Power.UP)
DOWN = NodePower(PowerState(Power.DOWN, 7), Power.DOWN)
CALLED = NodePower(PowerState(Power.DOWN, 7), Power.UP)


def seen(power: NodePower, since_s: float | None = None, after_s: float | None = None, before_s: float = NOW_S) -> Seen:
    return Seen(power, since_s, after_s, before_s)


@pytest.mark.parametrize(
    ("node", "told"),
    [
        (seen(UP), Standing(None, None, UNKNOWN)),
        (seen(DOWN), Standing(UNKNOWN, None, UNKNOWN)),
        (seen(CALLED), Standing(UNKNOWN, UNKNOWN, UNKNOWN)),
        (seen(DOWN, NOW_S - 5 * HOUR_S, None, NOW_S - 4 * HOUR_S), Standing(19 * HOUR_S, None, UNKNOWN)),
        (seen(DOWN, NOW_S - 5 * HOUR_S, NOW_S - 6 * HOUR_S, NOW_S - 5 * HOUR_S + 9), Standing(19 * HOUR_S, None, None)),
        (
            seen(DOWN, NOW_S - 5 * HOUR_S, NOW_S - 4 * HOUR_S, NOW_S - 3 * HOUR_S),
            Standing(19 * HOUR_S, None, NOW_S - 5 * HOUR_S),
        ),
        (seen(DOWN, NOW_S - 25 * HOUR_S, None, NOW_S - 25 * HOUR_S), Standing(-HOUR_S, None, None)),
    ],
)
def test_without_its_events_the_state_is_used(node: Seen, told: Standing) -> None:
    assert standing(node, NOW_S, None) == told


def test_r13_a_node_that_says_up_and_has_not_booted_is_known_by_its_events() -> None:
    known = Known(NOW_S - 60, Power.UP, NOW_S - 3 * HOUR_S, NOW_S - 600, NOW_S - 3 * HOUR_S)
    assert standing(seen(UP), NOW_S, known) == Standing(21 * HOUR_S, 1200, NOW_S - 3 * HOUR_S)


@pytest.mark.parametrize(
    ("known", "node"),
    [
        (Known(NOW_S - 2461, Power.UP, 1, 2, 3), seen(UP)),
        (Known(NOW_S - 60, Power.UP, 1, 2, 3), seen(DOWN, NOW_S - 30, None, NOW_S)),
        (Known(NOW_S - 60, Power.DOWN, 1, 2, 3), seen(DOWN, NOW_S - 30, None, NOW_S)),
        (Known(NOW_S - 60, Power.DOWN, 1, 2, 3), seen(DOWN)),
    ],
)
def test_what_was_known_before_the_node_changed_counts_no_more(known: Known, node: Seen) -> None:
    assert standing(node, NOW_S, known) == standing(node, NOW_S, None)


def test_a_sleepers_window_counts_from_its_first_down() -> None:
    known = Known(NOW_S - 60, Power.DOWN, NOW_S - 9 * HOUR_S, None, None)
    assert standing(seen(DOWN, NOW_S - 2 * HOUR_S), NOW_S, known) == Standing(15 * HOUR_S, None, None)


def test_they_are_kept_in_a_file(tmp_path: Path) -> None:
    path = tmp_path / "farm-1.json"
    assert load_standings(path) == {}
    month = Month(NodeId(7), state=Power.DOWN, target=Power.UP, window_s=5, request_s=9)
    kept = {NodeId(7): Known.of(month, 20), NodeId(8): Known.of(Month(NodeId(8)), 20)}
    save_standings(path, kept)
    assert load_standings(path) == kept
    path.write_text('{"7":')
    assert load_standings(path) == {}
    save_standings(path / "below-a-file", kept)


REPORT, BOOT, SLEEP = DeadlineKind.REPORT, DeadlineKind.BOOT, DeadlineKind.SLEEP
MIN_S = 60


@pytest.mark.parametrize(
    ("node", "stands", "deadline"),
    [
        # It reported 5 to 10 minutes ago: 31 of the 41 minutes are left, at least.
        (
            seen(UP, None, NOW_S - 10 * MIN_S, NOW_S - 5 * MIN_S),
            Standing(None, None, None),
            Deadline(REPORT, 31 * MIN_S),
        ),
        # 30 to 46 minutes ago: perhaps it is missed.
        (seen(UP, None, NOW_S - 46 * MIN_S, NOW_S - 30 * MIN_S), Standing(None, None, None), Deadline(REPORT, 0)),
        (
            seen(UP, None, NOW_S - 90 * MIN_S, NOW_S - 46 * MIN_S),
            Standing(None, None, None),
            Deadline(REPORT, -5 * MIN_S),
        ),
        (seen(UP), Standing(None, None, UNKNOWN), Deadline(REPORT, None)),
        # Its window is open though it says Up: what comes first counts.
        (seen(UP, None, NOW_S - 300, NOW_S), Standing(HOUR_S, 1200, 7), Deadline(BOOT, 1200)),
        (seen(UP, None, NOW_S - 1500, NOW_S), Standing(HOUR_S, 1200, 7), Deadline(REPORT, 960)),
        (seen(DOWN), Standing(19 * HOUR_S, None, None), Deadline(SLEEP, 19 * HOUR_S)),
        (seen(CALLED), Standing(HOUR_S, 900, None), Deadline(BOOT, 900)),
        (seen(CALLED), Standing(HOUR_S, UNKNOWN, None), Deadline(BOOT, None)),
        (seen(CALLED), Standing(-HOUR_S, UNKNOWN, None), Deadline(SLEEP, -HOUR_S)),
        (seen(DOWN), Standing(UNKNOWN, None, UNKNOWN), Deadline(SLEEP, None)),
        # It said Down with its target Up: no window is open.
        (seen(CALLED), Standing(None, None, 7), None),
    ],
)
def test_the_deadline_that_is_missed_next(node: Seen, stands: Standing, deadline: Deadline | None) -> None:
    assert next_deadline(node, stands, NOW_S) == deadline
