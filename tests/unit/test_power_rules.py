"""R3, R4, R6, R11: the decision about this node's own power, row by row."""

from __future__ import annotations

import dataclasses

import pytest

from app.domain.commands import LookAgain, Nothing, PowerCommand, ReportUp, ShutDown, StayUp
from app.domain.model import Head, HeadKind, Hold, NodeId, NodePower, Power, PowerState, Unreadable
from app.domain.rules.power import Observation, OwnPower, PowerLimits, decide

UP, DOWN = Power.UP, Power.DOWN
NOW_S = 1_700_000_000.0
LIMITS = PowerLimits(best_head_age_s_max=60, finalized_head_age_s_max=120, defer_power_off_s=180)


def own(kind: HeadKind, target: Power, state: Power, age_s: float = 5.0, number: int = 100) -> OwnPower:
    return OwnPower(
        Head(kind, number, f"0x{number:x}", NOW_S - age_s),
        NodePower(PowerState(state, 90 if state is DOWN else None), target),
    )


def seen(target: Power = DOWN, state: Power = UP, **changes: object) -> Observation:
    """An observation that no guard objects to."""
    observation = Observation(
        best=own(HeadKind.BEST, target, state), finalized=own(HeadKind.FINALIZED, target, state), now_s=NOW_S
    )
    return dataclasses.replace(observation, **changes)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("target", "state", "command"),
    [
        (UP, UP, Nothing()),
        (UP, DOWN, ReportUp()),
        (DOWN, UP, ShutDown()),
        (DOWN, DOWN, ShutDown()),
    ],
)
def test_r4_target_and_state_decide_when_no_guard_objects(target: Power, state: Power, command: PowerCommand) -> None:
    assert decide(seen(target, state), LIMITS) == command


def vague(*, told_age_s: float, seen_s_max: float) -> OwnPower:
    """As from a gateway whose answer is wrong by up to 999 s."""
    head = Head(HeadKind.BEST, None, "", NOW_S - told_age_s, uncertainty_s=999.0, seen_s_max=seen_s_max)
    return OwnPower(head, NodePower(PowerState(UP), DOWN))


@pytest.mark.parametrize("told_age_s", [-1059, -999, -500, 0, 60])
def test_a_moving_chain_whose_vague_time_can_be_now_is_believed(told_age_s: float) -> None:
    assert decide(seen(best=vague(told_age_s=told_age_s, seen_s_max=10.0), finalized=None), LIMITS) == ShutDown()


GUARDED: list[tuple[str, Observation, str, LookAgain]] = [
    ("r11 not enabled", seen(not_enabled="no card"), "not enabled: no card", LookAgain.NEXT_ROUND),
    (
        "r11 the host did not answer in time",
        seen(not_enabled="no answer within 5 s", not_enabled_may_pass=True),
        "not enabled: no answer within 5 s",
        LookAgain.IN_A_WHILE,
    ),
    ("r6 a hold", seen(holds=(Hold("backup", "copies", None),)), "held by backup: copies", LookAgain.IN_A_WHILE),
    ("r6 holds unreadable", seen(holds_unreadable="torn"), "is not known: torn", LookAgain.IN_A_WHILE),
    ("r5 cooling down", seen(cooling_down="failed before"), "failed before", LookAgain.NEXT_ROUND),
    ("r10 boot loop", seen(boot_loop="booted 3 times"), "booted 3 times", LookAgain.NEXT_ROUND),
    ("the last waker", seen(last_waker="no peer is awake"), "no peer is awake", LookAgain.IN_A_WHILE),
    ("r14 no wake was seen", seen(unproved="never woken"), "never woken", LookAgain.IN_A_WHILE),
    (
        "r6 best head old",
        seen(best=own(HeadKind.BEST, DOWN, UP, age_s=61)),
        "best head 100 is 61 s old",
        LookAgain.NEXT_FINALIZED_HEAD,
    ),
    (
        "r6 best head ahead of our clock",
        seen(best=own(HeadKind.BEST, DOWN, UP, age_s=-61)),
        "61 s ahead of this machine's clock",
        LookAgain.NEXT_FINALIZED_HEAD,
    ),
    (
        "r6 age of the best head is not known",
        seen(best=OwnPower(None, NodePower(PowerState(UP), DOWN)), finalized=None, head_unreadable="the gateway hangs"),
        "is not known: the gateway hangs",
        LookAgain.SOON,
    ),
    (
        "r6 best head old, and its number is not told",
        seen(best=dataclasses.replace(own(HeadKind.BEST, DOWN, UP), head=Head(HeadKind.BEST, None, "", NOW_S - 61))),
        "the best head is 61 s old",
        LookAgain.NEXT_FINALIZED_HEAD,
    ),
    (
        "r6 best head old, at whatever time its gateway's answer stands for",
        seen(best=vague(told_age_s=61, seen_s_max=6.0)),
        "the best head is 61 s old",
        LookAgain.NEXT_FINALIZED_HEAD,
    ),
    (
        "r6 best head ahead, at whatever time its gateway's answer stands for",
        seen(best=vague(told_age_s=-1060, seen_s_max=6.0)),
        "the best head is 61 s ahead of this machine's clock",
        LookAgain.NEXT_FINALIZED_HEAD,
    ),
    (
        "r6 best head of a chain that stands still",
        seen(best=vague(told_age_s=-500, seen_s_max=61.0)),
        "not seen to make a block within 60 s",
        LookAgain.NEXT_FINALIZED_HEAD,
    ),
    (
        "r6 best head of a chain that was looked at once",
        seen(best=vague(told_age_s=-500, seen_s_max=float("inf"))),
        "not seen to make a block within 60 s",
        LookAgain.NEXT_FINALIZED_HEAD,
    ),
    (
        "r6 finalized head old",
        seen(finalized=own(HeadKind.FINALIZED, DOWN, UP, age_s=121)),
        "finalized head 100 is 121 s old",
        LookAgain.NEXT_FINALIZED_HEAD,
    ),
    (
        "r6 down not finalized",
        seen(finalized=own(HeadKind.FINALIZED, UP, UP)),
        "not finalized yet",
        LookAgain.NEXT_FINALIZED_HEAD,
    ),
    (
        "r6 finalized answer broken",
        seen(finalized=OwnPower(None, Unreadable("neither flag"))),
        "finalized answer is broken: neither flag",
        LookAgain.SOON,
    ),
    (
        "r6 best answer broken",
        seen(best=OwnPower(None, Unreadable("neither flag"))),
        "answer is broken: neither flag",
        LookAgain.SOON,
    ),
    (
        "r7 waking a peer",
        seen(unfinished_wakes=(NodeId(7), NodeId(8)), deferred_for_s=179.0),
        "still waking node 7, 8",
        LookAgain.SOON,
    ),
]


@pytest.mark.parametrize(("observation", "reason", "again"), [row[1:] for row in GUARDED], ids=[r[0] for r in GUARDED])
def test_doubt_never_powers_off(observation: Observation, reason: str, again: LookAgain) -> None:
    command = decide(observation, LIMITS)
    assert isinstance(command, StayUp)
    assert reason in command.reason
    assert command.look_again is again


@pytest.mark.parametrize("state", [UP, DOWN])
@pytest.mark.parametrize("row", GUARDED, ids=[r[0] for r in GUARDED])
def test_r6_up_is_believed_from_the_best_head_whatever_else_is_in_doubt(
    row: tuple[str, Observation, str, LookAgain], state: Power
) -> None:
    observation = dataclasses.replace(row[1], best=own(HeadKind.BEST, UP, state, age_s=61))
    assert decide(observation, LIMITS) == (Nothing() if state is UP else ReportUp())


def test_a_gateway_that_cannot_tell_finality_or_heads_is_believed_without() -> None:
    observation = seen(best=OwnPower(None, NodePower(PowerState(UP), DOWN)), finalized=None)
    assert decide(observation, LIMITS) == ShutDown()


def test_an_age_of_zero_switches_the_check_off_for_a_chain_that_makes_blocks_on_demand() -> None:
    limits = dataclasses.replace(LIMITS, best_head_age_s_max=0, finalized_head_age_s_max=0)
    old = seen(best=own(HeadKind.BEST, DOWN, UP, age_s=1e6), finalized=own(HeadKind.FINALIZED, DOWN, UP, age_s=1e6))
    assert decide(old, limits) == ShutDown()
    unknown = seen(best=OwnPower(None, NodePower(PowerState(UP), DOWN)), finalized=None, head_unreadable="it hangs")
    assert decide(unknown, limits) == ShutDown()


def test_r7_an_unfinished_wake_defers_the_power_off_by_a_few_minutes_at_most() -> None:
    observation = seen(unfinished_wakes=(NodeId(7),), deferred_for_s=180.0)
    assert decide(observation, LIMITS) == ShutDown()


def test_ages_at_the_limit_are_still_believed() -> None:
    observation = seen(
        best=own(HeadKind.BEST, DOWN, UP, age_s=60), finalized=own(HeadKind.FINALIZED, DOWN, UP, age_s=120)
    )
    assert decide(observation, LIMITS) == ShutDown()
