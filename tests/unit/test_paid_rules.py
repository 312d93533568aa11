"""R13: what is known of a Down that did not end in a power-off, and what ends it."""

from __future__ import annotations

import datetime

import pytest

from app.domain.minting.events import Initial, NodeUptimeReported, PowerStateChanged, PowerTargetChanged, TimedEvent
from app.domain.minting.month import beginning
from app.domain.minting.period import Period
from app.domain.minting.rules import step
from app.domain.model import Head, HeadKind, Hold, NodeId, NodePower, Power, PowerState, Unreadable
from app.domain.moments import utc
from app.domain.rules.paid import (
    DownWindow,
    Remedy,
    ThisBoot,
    booted_since,
    look_at,
    reboot_forbidden,
    remedy_for,
    uncredited,
)
from app.domain.rules.power import Observation, OwnPower
from tests.rigs.policies import POLICIES

OPENED_S = 1_750_000_000
NOW_S = OPENED_S + 600
UP, DOWN = Power.UP, Power.DOWN
WINDOW = DownWindow("boot-1", OPENED_S, 10, "0xaa", sure=True)
SAME, LATER = ThisBoot("boot-1", OPENED_S - 86_400), ThisBoot("boot-2", OPENED_S + 300)


def power(target: Power, state: Power) -> NodePower:
    return NodePower(PowerState(state, 10 if state is DOWN else None), target)


@pytest.mark.parametrize(
    ("target", "state", "requested", "boot", "was_up", "after"),
    [
        (UP, DOWN, None, LATER, False, "closed"),
        (UP, DOWN, None, LATER, True, "closed"),
        (UP, DOWN, None, SAME, False, Remedy.REBOOT),
        (UP, DOWN, OPENED_S + 60, SAME, False, Remedy.REBOOT),
        (UP, UP, OPENED_S + 60, LATER, True, "closed"),
        (UP, UP, OPENED_S + 60, SAME, False, Remedy.REBOOT),
        (UP, UP, None, LATER, False, "closed"),
        (UP, UP, None, LATER, True, Remedy.NEW_REQUEST),
        (UP, UP, None, SAME, False, Remedy.NEW_REQUEST),
        (UP, UP, None, SAME, True, Remedy.NEW_REQUEST),
        (DOWN, DOWN, OPENED_S + 60, LATER, False, "closed"),
        (DOWN, DOWN, OPENED_S + 60, SAME, False, Remedy.SLEEP),
        (DOWN, DOWN, None, LATER, False, Remedy.SLEEP),
        (DOWN, UP, None, SAME, False, Remedy.SLEEP),
    ],
)
def test_r13_target_state_and_boot_decide_what_ends_it(
    target: Power, state: Power, requested: float | None, boot: ThisBoot, was_up: bool, after: Remedy | str
) -> None:
    window = DownWindow("boot-1", OPENED_S, 10, "0xaa", sure=True, requested_at_s=requested, was_up=was_up)
    seen = look_at(window, power(target, state), boot, NOW_S)
    assert (seen is None) is (after == "closed")
    if seen is not None:
        assert remedy_for(seen, power(target, state)) is after


def test_r13_the_first_request_counts() -> None:
    first = look_at(WINDOW, power(UP, DOWN), SAME, NOW_S)
    assert first is not None
    assert first.requested_at_s == NOW_S
    assert look_at(first, power(UP, DOWN), SAME, NOW_S + 60) == first
    assert (first.boot_by_s, first.report_by_s) == (NOW_S + 1800, OPENED_S + 86_400)
    assert WINDOW.boot_by_s is None


def test_r13_a_state_up_while_the_target_is_down_makes_a_later_target_up_no_request() -> None:
    left = look_at(WINDOW, power(DOWN, UP), SAME, NOW_S)
    assert left is not None
    assert left.was_up
    kept = look_at(left, power(UP, UP), LATER, NOW_S)
    assert kept == left


def test_a_broken_answer_changes_nothing_and_an_intent_is_sure_once_the_chain_says_down() -> None:
    broken = Unreadable("garbled")
    assert look_at(WINDOW, broken, LATER, NOW_S) is WINDOW
    assert remedy_for(WINDOW, broken) is None
    seen = look_at(DownWindow("boot-1", OPENED_S), power(DOWN, DOWN), SAME, NOW_S)
    assert seen is not None
    assert seen.sure
    assert not seen.was_up


def test_a_boot_shows_by_its_id_or_by_its_time() -> None:
    assert booted_since(WINDOW, ThisBoot("boot-2", OPENED_S - 9))
    assert booted_since(WINDOW, ThisBoot("boot-1", OPENED_S + 61))
    assert not booted_since(WINDOW, ThisBoot("boot-1", OPENED_S + 59))


@pytest.mark.parametrize("requested", [True, False])
def test_r13_what_the_rules_call_closed_the_minting_credits(requested: bool) -> None:
    """The same month, by the minting's own rules: with a request a boot ends it, and without one it does not."""
    period, node = Period.holding(OPENED_S), NodeId(7)
    month = beginning(node, period, Initial(node, UP, DOWN))
    events: list[TimedEvent] = [
        NodeUptimeReported(OPENED_S - 60, node, 50_000),
        PowerStateChanged(OPENED_S, node, DOWN),
        *([PowerTargetChanged(OPENED_S + 60, node, UP)] if requested else []),
        PowerStateChanged(OPENED_S + 66, node, UP),
        *([] if requested else [PowerTargetChanged(OPENED_S + 90, node, UP)]),
        NodeUptimeReported(OPENED_S + 400, node, 100),
    ]
    for event in events:
        month, _ = step(month, event, period)
    assert (month.window_s is None) is requested
    seen: DownWindow | None = WINDOW
    for own in [power(UP, DOWN)] if requested else [power(DOWN, UP), power(UP, UP)]:
        seen = look_at(seen or WINDOW, own, SAME, NOW_S)
    assert seen is not None
    assert (look_at(seen, power(UP, UP), LATER, NOW_S) is None) is requested


def observation(**over: object) -> Observation:
    head = Head(HeadKind.BEST, 12, "0xbb", NOW_S)
    return Observation(OwnPower(head, power(UP, UP)), None, NOW_S, **over)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("over", "reason"),
    [
        ({}, ""),
        ({"holds": (Hold("backup", "copies", None),)}, "held by backup"),
        ({"holds_unreadable": "no directory"}, "no directory"),
        ({"not_enabled": "no card"}, "not enabled: no card"),
        ({"head_unreadable": "no answer"}, "no answer"),
        ({"boot_loop": "a loop", "last_waker": "the last", "cooling_down": "lately"}, ""),
    ],
)
def test_r13_doubt_never_reboots_and_what_only_guards_a_sleep_does_not_object(
    over: dict[str, object], reason: str
) -> None:
    found = reboot_forbidden(observation(**over), POLICIES.limits)
    assert found == "" if not reason else reason in found


def test_the_message_has_fixed_times_and_the_remedy() -> None:
    requested = look_at(WINDOW, power(UP, DOWN), SAME, NOW_S)
    assert requested is not None
    since = utc(OPENED_S)
    for remedy, words in (
        (Remedy.SLEEP, utc(OPENED_S + 86_400)),
        (Remedy.NEW_REQUEST, "powerd farm down 7, powerd farm up 7"),
        (Remedy.REBOOT, f"a boot by {utc(NOW_S + 1800)} loses nothing"),
    ):
        told = uncredited(requested, NodeId(7), remedy, "")
        assert f"uptime has not been credited since {since}" in told
        assert words in told
    assert "a guard forbids it: held by x" in uncredited(requested, NodeId(7), Remedy.REBOOT, "held by x")
    assert utc(OPENED_S + 86_400) in uncredited(WINDOW, NodeId(7), Remedy.REBOOT, "")


@pytest.mark.parametrize("at_s", [0, 951_782_399, 951_782_400, 951_868_800, 1_750_000_000, 4_107_542_399])
def test_a_moment_reads_as_the_calendar_has_it(at_s: int) -> None:
    expected = datetime.datetime.fromtimestamp(at_s, datetime.UTC).strftime("%Y-%m-%d %H:%M UTC")
    assert utc(at_s) == expected
