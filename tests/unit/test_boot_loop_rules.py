"""R10: which boots are counted, and how long each keeps the node up, row by row."""

from __future__ import annotations

import pytest

from app.domain.model import NodePower, Power, PowerState
from app.domain.rules.boot_loop import Boot, BootLoopPolicy, BootRecord, falls_asleep, judge, stay_s

UP, DOWN = Power.UP, Power.DOWN
POLICY = BootLoopPolicy(free_boots=2, stay_s_min=300, stay_s_max=14400, long_sleep_s=21600)
NOW_S = 1_700_000_000.0
BOOT = Boot("this", NOW_S - 50)


def power(target: Power, state: Power) -> NodePower:
    return NodePower(PowerState(state, 90 if state is DOWN else None), target)


def before(unwanted: int, *, slept_s: float = 60.0, boot: str = "last") -> BootRecord:
    return BootRecord(boot, unwanted, BOOT.at_s - slept_s)


@pytest.mark.parametrize(
    ("target", "state", "slept_s", "unwanted"),
    [
        (UP, UP, 60, 0),
        (UP, DOWN, 60, 0),
        (DOWN, DOWN, 60, 4),
        (DOWN, DOWN, -3600, 4),
        (DOWN, DOWN, 21599, 4),
        (DOWN, DOWN, 21600, 1),
        (DOWN, UP, 60, 3),
        (DOWN, UP, 21600, 0),
    ],
)
def test_r10_a_boot_after_three_unwanted_ones(target: Power, state: Power, slept_s: float, unwanted: int) -> None:
    record = judge(power(target, state), before(3, slept_s=slept_s), BOOT, NOW_S, POLICY)
    assert record == BootRecord("this", unwanted, NOW_S)


@pytest.mark.parametrize(("state", "unwanted"), [(UP, 0), (DOWN, 1)])
def test_r10_the_first_boot_that_is_known_of(state: Power, unwanted: int) -> None:
    assert judge(power(DOWN, state), None, BOOT, NOW_S, POLICY) == BootRecord("this", unwanted, NOW_S)


def test_r10_a_daemon_started_again_counts_nothing() -> None:
    known = before(3, boot="this")
    assert judge(power(DOWN, DOWN), known, BOOT, NOW_S, POLICY) is known


def test_r10_a_target_up_ends_the_row_within_the_boot_too() -> None:
    assert judge(power(UP, UP), before(3, boot="this"), BOOT, NOW_S, POLICY) == BootRecord("this", 0, NOW_S)
    known = before(0, boot="this")
    assert judge(power(UP, UP), known, BOOT, NOW_S, POLICY) is known


def test_r10_sleep_is_counted_from_when_the_node_left() -> None:
    assert falls_asleep(before(3), NOW_S) == BootRecord("last", 3, NOW_S)


def test_r10_the_minimum_time_grows_to_its_bound() -> None:
    stays = [stay_s(unwanted, POLICY) / 60 for unwanted in range(11)]
    assert stays == [0, 0, 0, 5, 10, 20, 40, 80, 160, 240, 240]
    assert stay_s(10**9, POLICY) == 14400
