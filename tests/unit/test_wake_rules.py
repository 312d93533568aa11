"""R7: the state machine of one wake, row by row; and the pace of trying again."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import get_args

import pytest

from app.domain.backoff import Backoff, spread
from app.domain.commands import DeferBurst, EndWake, SendBurst, WakeCommand
from app.domain.model import NodeId, NodePower, Power, PowerState, Unreadable
from app.domain.rules.wake import (
    HINT_BURSTS,
    ROWS,
    Due,
    Event,
    Input,
    Look,
    OwnPowerOff,
    Phase,
    Request,
    Row,
    Seen,
    Terms,
    Then,
    Wake,
    may_be_asleep,
    sleepers_to_wake,
    step,
    worth_waiting,
)
from app.entrypoints.documents.wake import document
from tests.rigs.policies import POLICIES

NODE = NodeId(7)
AWAKE = NodePower(PowerState(Power.UP), Power.UP)
ASLEEP = NodePower(PowerState(Power.DOWN, 5), Power.UP)
GOING_DOWN = NodePower(PowerState(Power.UP), Power.DOWN)
SLEEPS_AS_WANTED = NodePower(PowerState(Power.DOWN, 5), Power.DOWN)
BROKEN = Unreadable("neither flag")

BEGAN_S, NOW_S, TURN_S = 1000.0, 1090.0, 120.0
POWERS: dict[Seen, NodePower | Unreadable] = {
    Seen.ASLEEP: ASLEEP,
    Seen.AWAKE: AWAKE,
    Seen.UNWANTED: SLEEPS_AS_WANTED,
    Seen.UNKNOWN: BROKEN,
}
TERMS = Terms(POLICIES.wake, lambda _: 0.0, lambda: 0.5)
DEFERRING = replace(TERMS, turn_s=lambda _: TURN_S)

WAKE = Wake(NODE, "test", BEGAN_S, wanted_at_s=BEGAN_S, due_at_s=NOW_S, bursts=2, last_burst_at_s=BEGAN_S + 30)
UNSENT = replace(WAKE, bursts=0, last_burst_at_s=float("-inf"), deferred=True, hint_bursts=1)
IN_PHASE: dict[Phase, Wake | None] = {
    Phase.NONE: None,
    Phase.DEFERRED: replace(UNSENT, saw_down=True),
    Phase.DEFERRED_HINT: UNSENT,
    Phase.CALLING: replace(WAKE, saw_down=True),
    Phase.CALLING_HINT: WAKE,
    Phase.SPENT_HINT: replace(WAKE, bursts=HINT_BURSTS),
}


def made(on: type[Input], seen: Seen) -> Input:
    if on is Request:
        return Request("an operator")
    if on is OwnPowerOff:
        return OwnPowerOff()
    if on is Look:
        return Look(POWERS.get(seen), asked_at_s=NOW_S)
    return Event(POWERS[seen]) if on is Event else Due(POWERS[seen], asked_at_s=NOW_S)


CELLS = [(row, phase, seen) for row in ROWS for phase in row.phases for seen in row.seen]


def bursts_and_due(wake: Wake | None) -> tuple[int, float]:
    assert wake is not None
    return wake.bursts, wake.due_at_s


@pytest.mark.parametrize(
    ("row", "phase", "seen"), CELLS, ids=[f"{row.on.__name__}-{phase.name}-{seen.name}" for row, phase, seen in CELLS]
)
def test_r7_every_row_does_what_it_says(row: Row, phase: Phase, seen: Seen) -> None:
    before = IN_PHASE[phase]
    after, command = step(before, NODE, made(row.on, seen), NOW_S, TERMS)
    expected: dict[Then, WakeCommand | None] = {
        Then.NOTHING: None,
        Then.RANK_AGAIN: None,
        Then.HURRY: None,
        Then.BEGIN: SendBurst(NODE),
        Then.CALL: SendBurst(NODE),
        Then.RESTART: SendBurst(NODE),
    }
    if row.then not in expected:
        count = before.bursts if before is not None else 0
        assert (after, command) == (None, EndWake(NODE, count, row.then.value.removeprefix("end: ")))
        return
    assert command == expected[row.then]
    match row.then:
        case Then.RESTART | Then.BEGIN:
            assert bursts_and_due(after)[0] == 1
        case Then.CALL:
            assert bursts_and_due(after)[0] == (before.bursts if before else 0) + 1
        case Then.RANK_AGAIN | Then.HURRY:
            assert bursts_and_due(after) == (0, NOW_S if row.then is Then.HURRY else BEGAN_S)
        case _ if before is not None:
            assert bursts_and_due(after) == (before.bursts, before.due_at_s)
    if after is not None and command is not None:
        assert not after.deferred
        assert after.due_at_s > NOW_S


def test_r7_the_rows_leave_no_case_out_and_none_contradicts_another() -> None:
    possible = {
        Event: {Seen.ASLEEP, Seen.AWAKE, Seen.UNWANTED, Seen.UNKNOWN},
        Look: set(Seen),
        Due: {Seen.ASLEEP, Seen.AWAKE, Seen.UNWANTED, Seen.UNKNOWN},
        Request: {Seen.UNKNOWN},
        OwnPowerOff: {Seen.UNKNOWN},
    }
    assert set(possible) == set(get_args(Input))
    wanted = {(on, phase, seen) for on, answers in possible.items() for phase in Phase for seen in answers}
    cells = [(row.on, phase, seen) for row, phase, seen in CELLS]
    assert len(cells) == len(set(cells))
    assert set(cells) == wanted


@pytest.mark.parametrize("phase", IN_PHASE)
def test_the_phases_are_what_the_wakes_of_these_tests_are_in(phase: Phase) -> None:
    wake = IN_PHASE[phase]
    assert (Phase.NONE if wake is None else wake.phase) is phase


@pytest.mark.parametrize(
    ("happened", "asleep"), [(Event(ASLEEP), True), (Event(AWAKE), False), (Look(ASLEEP, 0), True)]
)
def test_r7_a_wake_that_others_begin_is_deferred_by_its_turn(happened: Input, asleep: bool) -> None:
    wake, command = step(None, NODE, happened, NOW_S, DEFERRING)
    assert command == DeferBurst(NODE, TURN_S)
    assert wake is not None
    assert (wake.phase, wake.due_at_s) == (Phase.DEFERRED if asleep else Phase.DEFERRED_HINT, NOW_S + TURN_S)


@pytest.mark.parametrize("happened", [Event(BROKEN), Request("an operator")])
def test_r7_in_doubt_and_on_request_no_burst_is_deferred(happened: Input) -> None:
    assert step(None, NODE, happened, NOW_S, DEFERRING)[1] == SendBurst(NODE)


def test_a_turn_comes_sooner_and_never_later() -> None:
    deferred = replace(UNSENT, due_at_s=BEGAN_S + 240)
    sooner, _ = step(deferred, NODE, Event(AWAKE), NOW_S, DEFERRING)
    assert bursts_and_due(sooner)[1] == BEGAN_S + TURN_S
    later, _ = step(sooner, NODE, Event(AWAKE), NOW_S, replace(DEFERRING, turn_s=lambda _: 240.0))
    assert bursts_and_due(later)[1] == BEGAN_S + TURN_S


def test_a_hint_that_was_deferred_gets_one_burst() -> None:
    wake, _ = step(UNSENT, NODE, Due(AWAKE, NOW_S), NOW_S, TERMS)
    assert wake is not None
    assert step(wake, NODE, Due(AWAKE, wake.due_at_s), wake.due_at_s, TERMS)[1] == EndWake(
        NODE, 1, "its state is Up, and all its bursts were sent"
    )


def test_events_while_a_burst_is_in_flight_bring_no_other() -> None:
    wake, _ = step(None, NODE, Event(ASLEEP), NOW_S, TERMS)
    assert wake is not None
    for power in (ASLEEP, AWAKE, SLEEPS_AS_WANTED, BROKEN):
        after, command = step(wake, NODE, Event(power), NOW_S + 4.9, TERMS)
        assert command is None
        assert bursts_and_due(after) == bursts_and_due(wake)
    assert step(wake, NODE, Event(ASLEEP), NOW_S + 5, TERMS)[1] == SendBurst(NODE)


@pytest.mark.parametrize("power", [GOING_DOWN, AWAKE, None])
@pytest.mark.parametrize("phase", [Phase.DEFERRED, Phase.CALLING])
def test_r7_an_answer_older_than_the_last_event_ends_nothing(power: NodePower | None, phase: Phase) -> None:
    wake = IN_PHASE[phase]
    assert wake is not None
    wake = replace(wake, wanted_at_s=NOW_S)
    assert step(wake, NODE, Look(power, NOW_S - 1), NOW_S, TERMS) == (wake, None)
    if power is not None:
        command = step(wake, NODE, Due(power, NOW_S - 1), NOW_S, TERMS)[1]
        assert command == (SendBurst(NODE) if phase is Phase.DEFERRED else None), "a turn waits for one read only"


def test_an_answer_for_a_wake_that_was_served_meanwhile_does_nothing() -> None:
    served = replace(WAKE, due_at_s=NOW_S + 10)
    assert step(served, NODE, Due(ASLEEP, NOW_S), NOW_S, TERMS) == (served, None)


def test_a_hint_whose_state_turns_down_is_a_sleeper_from_then_on() -> None:
    wake, _ = step(WAKE, NODE, Look(ASLEEP, NOW_S), NOW_S, TERMS)
    assert wake is not None
    assert wake.phase is Phase.CALLING


@pytest.mark.parametrize(("power", "by_look"), [(ASLEEP, True), (AWAKE, False), (GOING_DOWN, False), (BROKEN, False)])
def test_what_a_look_begins_is_known_without_a_step(power: NodePower | Unreadable, by_look: bool) -> None:
    assert (sleepers_to_wake({NODE: power}) == [NODE]) is by_look
    assert (step(None, NODE, Look(power, NOW_S), NOW_S, TERMS)[0] is not None) is by_look


def test_the_own_power_off_waits_for_sleepers_until_their_deadline() -> None:
    policy = POLICIES.wake
    sleeper = replace(WAKE, saw_down=True)
    assert worth_waiting(sleeper, policy)
    assert not worth_waiting(WAKE, policy)
    assert not worth_waiting(replace(sleeper, last_burst_at_s=BEGAN_S + policy.deadline_s), policy)


def test_retries_back_off_to_a_bound_once_the_state_was_seen_down() -> None:
    terms = replace(TERMS, policy=replace(POLICIES.wake, retry=Backoff(15, 300)))
    wake, delays = replace(WAKE, bursts=0, saw_down=True), []
    for _ in range(7):
        after, _ = step(wake, NODE, Due(ASLEEP, wake.due_at_s), wake.due_at_s, terms)
        assert after is not None
        delays.append(after.due_at_s - wake.due_at_s)
        wake = after
    assert delays == [15, 30, 60, 120, 240, 300, 300]


def test_a_hint_brings_three_bursts_within_two_minutes() -> None:
    wake, _ = step(None, NODE, Event(AWAKE), NOW_S, TERMS)
    while wake is not None and wake.bursts < HINT_BURSTS:
        last_s = wake.due_at_s
        wake, command = step(wake, NODE, Due(AWAKE, last_s), last_s, TERMS)
        assert command == SendBurst(NODE)
    assert last_s - NOW_S + TERMS.policy.burst_s <= 120
    assert wake is not None
    assert wake.phase is Phase.SPENT_HINT


def walk(wake: Wake | None, inputs: list[Callable[[float], Input]]) -> list[str]:
    now_s, commands = NOW_S, []
    for each in inputs:
        wake, command = step(wake, NODE, each(now_s), now_s, TERMS)
        commands.append(type(command).__name__)
        now_s = wake.due_at_s if wake is not None else now_s
    return commands


def test_r7_a_sleeper_is_called_until_the_chain_shows_it_up() -> None:
    asleep = [lambda at: Due(ASLEEP, at)] * 50
    told = walk(None, [lambda _: Event(ASLEEP), *asleep, lambda at: Due(AWAKE, at)])
    assert told == ["SendBurst"] * 51 + ["EndWake"]


def test_the_document_shows_the_rows() -> None:
    page = Path(__file__).parents[2] / "docs/wake.md"
    assert page.read_text() == document(), "run python -m app.entrypoints.documents.wake"


@pytest.mark.parametrize("draw", [0.0, 0.25, 0.999])
def test_jitter_stays_within_its_fraction(draw: float) -> None:
    assert 75 <= spread(100, 0.25, lambda: draw) <= 125
    assert 75 <= Backoff(100, 100).delay_s(1_000_000, lambda: draw) <= 125


@pytest.mark.parametrize("power", [ASLEEP, GOING_DOWN, SLEEPS_AS_WANTED, BROKEN])
def test_a_node_that_may_be_asleep_is_one_whose_address_will_be_needed(power: NodePower | Unreadable) -> None:
    assert may_be_asleep(power)
    assert not may_be_asleep(AWAKE)
