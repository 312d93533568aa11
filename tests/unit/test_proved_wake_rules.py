"""R14: what proves a wake, point by point."""

from __future__ import annotations

import pytest

from app.domain.model import NodePower, Power, PowerState, Unreadable
from app.domain.rules.proved_wake import (
    ALARM_ROUNDING_S,
    CALLED_S_MAX,
    Departure,
    PowerThen,
    Trial,
    may_prove,
    proves,
    still_down_at_s,
)

LEFT_S = 1_700_000_000.0


@pytest.mark.parametrize(
    ("departure", "boot_id", "boot_at_s", "may"),
    [
        (Departure("a", LEFT_S), "b", LEFT_S + 60, True),
        (Departure("a", LEFT_S), "a", LEFT_S + 60, False),
        (Departure("a", LEFT_S, LEFT_S + 3600), "b", LEFT_S + 3600 - ALARM_ROUNDING_S - 1, True),
        (Departure("a", LEFT_S, LEFT_S + 3600), "b", LEFT_S + 3600 - ALARM_ROUNDING_S, False),
        (Departure("a", LEFT_S, LEFT_S + 3600), "b", LEFT_S + 7200, False),
    ],
)
def test_r14_another_boot_before_the_clocks_alarm_may_prove_a_wake(
    departure: Departure, boot_id: str, boot_at_s: float, may: bool
) -> None:
    assert may_prove(departure, boot_id, boot_at_s) is may


@pytest.mark.parametrize(("slept_s", "asked_s"), [(10, None), (CALLED_S_MAX, None), (CALLED_S_MAX + 1, 1.0)])
def test_r14_after_a_short_sleep_the_departure_itself_says_that_the_target_was_down(
    slept_s: float, asked_s: float | None
) -> None:
    found = still_down_at_s(Departure("a", LEFT_S), LEFT_S + slept_s)
    assert found == (None if asked_s is None else LEFT_S + asked_s)


def power(target: Power) -> NodePower:
    return NodePower(PowerState(Power.DOWN, 5), target)


@pytest.mark.parametrize(
    ("at_boot", "before", "proved"),
    [
        (power(Power.UP), power(Power.DOWN), True),
        (power(Power.UP), power(Power.UP), False),
        (power(Power.DOWN), power(Power.DOWN), False),
        (Unreadable("garbled"), power(Power.DOWN), False),
        (power(Power.UP), Unreadable("garbled"), False),
        (None, power(Power.DOWN), False),
        (power(Power.UP), None, False),
    ],
)
def test_r14_it_was_called_shortly_before_and_what_is_not_known_is_no_proof(
    at_boot: PowerThen, before: PowerThen, proved: bool
) -> None:
    assert proves(at_boot, before) is proved


@pytest.mark.parametrize(("boot_id", "uptime_s", "lasts"), [("a", 99.0, True), ("a", 100.0, False), ("b", 99.0, False)])
def test_a_trial_is_over_after_its_time_and_after_its_boot(boot_id: str, uptime_s: float, lasts: bool) -> None:
    assert Trial("a", 100.0).lasts(boot_id, uptime_s) is lasts
