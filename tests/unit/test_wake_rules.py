"""R7: whether a sleeping peer gets another burst, row by row; and the pace of trying again."""

from __future__ import annotations

import pytest

from app.domain.backoff import Backoff, spread
from app.domain.commands import EndWake, SendBurst
from app.domain.model import NodeId, NodePower, Power, PowerState, Unreadable
from app.domain.wake_rules import (
    HINTED_BURSTS,
    Wake,
    WakePolicy,
    may_be_wanted_up,
    may_sleep,
    next_step,
    retry_delay_s,
    wants_waking,
)

NODE = NodeId(7)
AWAKE = NodePower(PowerState(Power.UP), Power.UP)
ASLEEP = NodePower(PowerState(Power.DOWN, 5), Power.UP)
GOING_DOWN = NodePower(PowerState(Power.UP), Power.DOWN)
SLEEPS_AS_TOLD = NodePower(PowerState(Power.DOWN, 5), Power.DOWN)
BROKEN = Unreadable("neither flag")


def wake(*, bursts: int = 0, saw_down: bool = False) -> Wake:
    return Wake(NODE, "test", began_at_s=0.0, bursts=bursts, saw_down=saw_down)


@pytest.mark.parametrize(
    ("power", "state", "expected"),
    [
        (ASLEEP, wake(), SendBurst(NODE)),
        (ASLEEP, wake(bursts=1000, saw_down=True), SendBurst(NODE)),
        (AWAKE, wake(bursts=0), SendBurst(NODE)),
        (AWAKE, wake(bursts=HINTED_BURSTS - 1), SendBurst(NODE)),
        (AWAKE, wake(bursts=HINTED_BURSTS), "all its bursts were sent"),
        (AWAKE, wake(bursts=1, saw_down=True), "awake"),
        (GOING_DOWN, wake(), "its target is Down"),
        (SLEEPS_AS_TOLD, wake(bursts=3, saw_down=True), "its target is Down"),
        (BROKEN, wake(bursts=9), SendBurst(NODE)),
        (None, wake(), "left the farm"),
    ],
)
def test_r7_next_step(power: NodePower | Unreadable | None, state: Wake, expected: SendBurst | str) -> None:
    step = next_step(state, power)
    if isinstance(expected, str):
        assert isinstance(step, EndWake)
        assert expected in step.outcome
    else:
        assert step == expected


@pytest.mark.parametrize(
    ("power", "by_look", "by_event"),
    [
        (ASLEEP, True, True),
        (AWAKE, False, True),
        (GOING_DOWN, False, False),
        (SLEEPS_AS_TOLD, False, False),
        (BROKEN, False, True),
    ],
)
def test_what_begins_a_wake(power: NodePower | Unreadable, by_look: bool, by_event: bool) -> None:
    assert wants_waking(power) is by_look
    assert may_be_wanted_up(power) is by_event


def test_retries_back_off_to_a_bound_once_the_state_was_seen_down() -> None:
    policy = WakePolicy(retry=Backoff(15, 300))
    delays = [retry_delay_s(wake(bursts=n, saw_down=True), policy, lambda: 0.5) for n in range(1, 8)]
    assert delays == [15, 30, 60, 120, 240, 300, 300]


def test_a_hint_brings_three_bursts_within_two_minutes() -> None:
    policy = WakePolicy()
    spans = [retry_delay_s(wake(bursts=n), policy, lambda: 0.5) for n in range(1, HINTED_BURSTS)]
    assert sum(spans) + policy.burst_s <= 120


@pytest.mark.parametrize("draw", [0.0, 0.25, 0.999])
def test_jitter_stays_within_its_fraction(draw: float) -> None:
    assert 75 <= spread(100, 0.25, lambda: draw) <= 125
    assert 75 <= Backoff(100, 100).delay_s(1_000_000, lambda: draw) <= 125


@pytest.mark.parametrize("power", [ASLEEP, GOING_DOWN, SLEEPS_AS_TOLD, BROKEN])
def test_a_node_that_may_sleep_is_one_whose_address_will_be_needed(power: NodePower | Unreadable) -> None:
    assert may_sleep(power)
    assert not may_sleep(AWAKE)
