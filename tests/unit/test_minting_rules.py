"""The grid's minting rules, one by one: what an event is worth, and what it costs (R13)."""

from __future__ import annotations

import pytest

from app.domain.minting.events import (
    Event,
    Initial,
    NodeUptimeReported,
    PowerStateChanged,
    PowerTargetChanged,
)
from app.domain.minting.ledger import MonthLedger
from app.domain.minting.month import Booking, Loss, Month, Violation
from app.domain.minting.period import Period
from app.domain.minting.rules import so_far
from app.domain.model import NodeId, Power

START, END = 1_000_000, 1_400_000
PERIOD = Period(START, END)
NODE = NodeId(7)
HOUR, DAY = 3600, 86_400


def report(at: int, uptime: int) -> Event:
    return NodeUptimeReported(START + at, NODE, uptime)


def target(at: int, power: Power) -> Event:
    return PowerTargetChanged(START + at, NODE, power)


def state(at: int, power: Power) -> Event:
    return PowerStateChanged(START + at, NODE, power)


UP, DOWN = Power.UP, Power.DOWN
ASLEEP_AT_1000 = (report(600, 5600), target(900, DOWN), state(1000, DOWN), report(1010, 6010))
"""Credited: 600 s for the first report, then 400 s up to Down; the report after Down earns nothing."""


def ledger_of(*events: Event) -> MonthLedger:
    ledger = MonthLedger(PERIOD)
    for event in events:
        ledger.add(event)
    return ledger


def after(*events: Event) -> Month:
    return ledger_of(*events).month(NODE)


def closed(*events: Event) -> Month:
    return ledger_of(*events).close(NODE)


# -- uptime reports alone ------------------------------------------------------------------------------


@pytest.mark.parametrize(("at", "uptime", "credited"), [(600, 5000, 600), (600, 50, 50), (9000, 99_000, 2460)])
def test_the_first_report_is_worth_no_more_than_the_period_the_uptime_and_41_minutes(
    at: int, uptime: int, credited: int
) -> None:
    assert after(report(at, uptime)).credited_s == credited


@pytest.mark.parametrize(("uptime", "loss"), [(99_000, Loss.GAP), (9000, Loss.GAP), (600, Loss.NOT_BOOTED)])
def test_time_before_the_first_report_has_a_reason_of_its_own_where_the_node_was_off(uptime: int, loss: Loss) -> None:
    bookings: list[Booking] = []
    MonthLedger(PERIOD, lambda _, booking: bookings.append(booking)).add(report(9000, uptime))
    (first,) = bookings
    assert (first.loss, first.lost_s) == (loss, 9000 - min(uptime, 2460))


@pytest.mark.parametrize(
    ("gap", "grew", "credited"),
    [
        (2400, 2400, 2400),
        (2460, 2460, 2460),
        (2461, 2461, 2460),
        (4800, 4800, 2460),
        (1200, 1260, 1260),
        (1200, 1140, 1140),
    ],
)
def test_a_node_that_runs_is_credited_its_growth_up_to_41_minutes(gap: int, grew: int, credited: int) -> None:
    month = after(report(600, 5000), report(600 + gap, 5000 + grew))
    assert (month.credited_s, month.violation) == (600 + credited, None)


def test_time_beyond_41_minutes_is_lost_to_the_gap() -> None:
    bookings: list[Booking] = []
    ledger = MonthLedger(PERIOD, lambda _, booking: bookings.append(booking))
    for event in (report(600, 5000), report(5400, 9800)):
        ledger.add(event)
    assert bookings[1] == Booking(START + 5400, 2460, 4800 - 2460, Loss.GAP)


def test_uptime_that_grew_more_than_time_is_a_violation_and_earns_nothing() -> None:
    month = after(report(600, 5000), report(1800, 6261), report(3000, 7461))
    assert (month.violation, month.violated_at_s, month.credited_s) == (
        Violation.UPTIME_TOO_HIGH,
        START + 1800,
        600 + 1200,
    )


@pytest.mark.parametrize(("uptime", "credited"), [(100, 100), (1200, 1200)])
def test_a_reboot_is_credited_its_uptime(uptime: int, credited: int) -> None:
    assert after(report(600, 5000), report(1800, uptime)).credited_s == 600 + credited


def test_a_reboot_a_minute_after_a_report_is_no_violation() -> None:
    month = after(report(600, 5), report(630, 4))
    assert (month.credited_s, month.violation) == (5 + 4, None)


@pytest.mark.parametrize(
    ("uptime", "violation"),
    [(6100, Violation.UPTIME_TOO_LOW), (5000, Violation.INVALID_REBOOT), (1201, Violation.INVALID_REBOOT)],
)
def test_a_report_that_says_it_booted_before_the_last_one_is_a_violation(uptime: int, violation: Violation) -> None:
    month = after(report(600, 5000), report(1800, uptime))
    assert (month.violation, month.credited_s) == (violation, 600)


def test_a_contradicting_report_is_not_the_one_that_the_next_is_compared_with() -> None:
    assert after(report(600, 5000), report(1800, 5500), report(3000, 7400)).credited_s == 600 + 2400


def test_a_clock_that_drifts_is_a_violation_when_the_boot_time_moved_by_two_minutes() -> None:
    drifting = [report(600 + 1200 * n, 5000 + 1250 * n) for n in range(4)]
    assert after(*drifting[:3]).violation is None
    month = after(*drifting)
    assert (month.violation, month.credited_s) == (Violation.CLOCK_SKEW, 600 + 3 * 1250)


def test_the_first_violation_names_the_month() -> None:
    assert after(report(600, 5000), report(1800, 9000), report(3000, 9001)).violation is Violation.UPTIME_TOO_HIGH


def test_skew_is_found_even_where_the_report_is_refused_for_another_reason() -> None:
    steps = [report(600, 5000), report(1800, 6140), report(3000, 7280), report(3001, 7260)]
    assert after(*steps).violation is Violation.CLOCK_SKEW


# -- sleep ---------------------------------------------------------------------------------------------


def test_a_sleep_is_credited_from_the_last_report_to_the_report_after_the_boot() -> None:
    month = after(*ASLEEP_AT_1000, target(9000, UP), state(9200, UP), report(9210, 60))
    assert (month.credited_s, month.slow_boots, month.window_s) == (9210, 0, None)


def test_going_to_sleep_is_credited_without_the_cap_of_41_minutes() -> None:
    month = after(report(600, 5000), target(9000, DOWN), state(9001, DOWN))
    assert month.credited_s == 9001


def test_a_node_that_never_reported_is_credited_nothing_for_going_to_sleep() -> None:
    assert after(target(10, DOWN), state(20, DOWN)).credited_s == 0


def test_a_sleep_of_24_hours_is_credited_and_one_second_more_is_not() -> None:
    boot = (target(1000 + DAY - 100, UP), report(1000 + DAY, 50))
    assert after(*ASLEEP_AT_1000, *boot).credited_s == 1000 + DAY
    late = (target(1000 + DAY - 100, UP), report(1000 + DAY + 1, 50))
    month = after(*ASLEEP_AT_1000, *late)
    assert (month.credited_s, month.slow_boots) == (1000, 0)


def test_a_boot_30_minutes_after_the_request_is_no_slow_boot_and_one_second_later_is() -> None:
    in_time = after(*ASLEEP_AT_1000, target(9000, UP), report(9000 + 1900, 100))
    assert (in_time.credited_s, in_time.slow_boots) == (10_900, 0)
    slow = after(*ASLEEP_AT_1000, target(9000, UP), report(9000 + 1901, 100))
    assert (slow.credited_s, slow.slow_boots, slow.violation) == (1000, 1, None)


def test_the_request_counts_from_the_first_target_up() -> None:
    month = after(*ASLEEP_AT_1000, target(9000, UP), target(10_000, UP), report(9000 + 1901, 100))
    assert month.slow_boots == 1


def test_two_slow_boots_cost_the_month_when_it_is_over() -> None:
    slow = (*ASLEEP_AT_1000, target(9000, UP), state(11_000, UP), report(11_010, 10))
    again = (target(12_000, DOWN), state(12_001, DOWN), target(13_000, UP), state(16_000, UP), report(16_010, 10))
    month = closed(*slow, *again)
    assert (month.slow_boots, month.violation) == (2, Violation.BOOT_REQUEST_EXPIRED)
    assert closed(*slow).violation is None


def test_a_request_that_is_still_open_at_the_end_is_a_slow_boot() -> None:
    assert closed(*ASLEEP_AT_1000, target(9000, UP)).slow_boots == 1


def test_a_request_of_after_the_period_is_left_to_the_next_one() -> None:
    assert closed(*ASLEEP_AT_1000, target(END - START + 10, UP)).slow_boots == 0


def test_a_boot_without_a_request_earns_nothing_until_the_target_turns_up() -> None:
    woken_by_hand = (*ASLEEP_AT_1000, report(4010, 60), state(4020, UP))
    month = after(*woken_by_hand)
    assert (month.credited_s, month.uncredited_since_s, month.stayed_on) == (1000, START + 1000, False)
    # State Up already: the target Up that comes now is no request, and the window stays open.
    month = after(*woken_by_hand, target(5000, UP), report(5200, 1250))
    assert (month.credited_s, month.uncredited_since_s) == (1000, START + 1000)


def test_a_node_that_was_woken_by_hand_and_sleeps_again_is_asleep_and_its_wake_credits_all() -> None:
    asleep_again = (*ASLEEP_AT_1000, report(4010, 60), state(4020, UP), state(4100, DOWN), report(4110, 160))
    assert after(*asleep_again).uncredited_since_s is None
    month = after(*asleep_again, target(50_000, UP), report(50_200, 60))
    assert (month.credited_s, month.slow_boots, month.uncredited_since_s) == (50_200, 0, None)


# -- aborted sleep (R13) --------------------------------------------------------------------------------

ABORTED = (*ASLEEP_AT_1000, target(1100, UP), state(1110, UP))


def test_r13_a_node_that_said_down_and_did_not_power_off_earns_nothing_whatever_it_says() -> None:
    month = after(*ABORTED, *(report(1200 * n, 5000 + 1200 * n) for n in range(2, 9)))
    assert (month.credited_s, month.uncredited_since_s) == (1000, START + 1000)


def test_r13_a_reboot_within_30_minutes_of_the_target_up_credits_all_of_it() -> None:
    month = after(*ABORTED, report(1160, 6160), report(1500, 90))
    assert (month.credited_s, month.slow_boots, month.uncredited_since_s) == (1500, 0, None)


def test_r13_a_later_reboot_is_a_slow_boot_and_is_booked_to_the_aborted_sleep() -> None:
    bookings: list[Booking] = []
    ledger = MonthLedger(PERIOD, lambda _, booking: bookings.append(booking))
    for event in (*ABORTED, report(2400, 7400), report(9000, 90)):
        ledger.add(event)
    assert bookings[-1] == Booking(START + 9000, 0, 8000, Loss.ABORTED_SLEEP, "slow boot")


def test_a_target_up_while_down_without_a_window_stops_all_credit_until_a_window_closes() -> None:
    no_window = (report(600, 5600), state(1000, DOWN), target(1100, UP), state(1200, UP))
    month = after(*no_window, report(2000, 7000))
    assert (month.credited_s, month.uncredited_since_s) == (600, START + 1100)
    later = (target(50_000, DOWN), state(50_010, DOWN), target(51_000, UP), report(51_300, 60))
    month = after(*no_window, *later)
    assert (month.slow_boots, month.request_s) == (1, None)


STILL_DOWN = (*ASLEEP_AT_1000, state(1110, UP), report(2400, 7400))
ASLEEP_AGAIN = (target(2700, DOWN), state(3000, DOWN), report(3010, 8010))


def test_a_node_that_went_to_sleep_again_after_an_aborted_sleep_is_asleep_and_its_wake_credits_all() -> None:
    month = after(*STILL_DOWN)
    assert month.uncredited_since_s == START + 1000
    month = after(*STILL_DOWN, *ASLEEP_AGAIN)
    assert month.uncredited_since_s is None
    month = after(*STILL_DOWN, *ASLEEP_AGAIN, target(50_000, UP), report(50_200, 60))
    assert (month.credited_s, month.slow_boots) == (50_200, 0)


def test_down_again_in_an_open_window_opens_no_other() -> None:
    month = after(*ABORTED, target(2000, DOWN), state(2010, DOWN))
    assert month.window_s == START + 1000


# -- the period's two ends --------------------------------------------------------------------------------


def test_a_node_that_begins_the_period_asleep_is_credited_from_its_start() -> None:
    asleep = Initial(NODE, DOWN, DOWN, since_s=START - 2 * HOUR)
    month = after(asleep, target(3600, UP), report(4000, 60))
    assert (month.credited_s, month.violation) == (4000, None)


def test_a_node_that_begins_down_and_called_has_its_request_since_the_start() -> None:
    called = Initial(NODE, DOWN, UP, since_s=START - 2 * HOUR)
    assert after(called, report(1800, 10)).slow_boots == 0
    assert after(called, report(1900, 60)).slow_boots == 1


def test_events_of_before_the_period_say_how_it_begins() -> None:
    before = (target(-9000, DOWN), state(-8000, DOWN), report(-7990, 10), state(-7000, DOWN))
    month = after(*before, target(3600, UP), report(4000, 60))
    assert (month.credited_s, month.slow_boots) == (4000, 0)
    assert after(*before, state(-50, UP), report(600, 600)).credited_s == 600


def test_of_the_hours_after_the_period_one_report_counts_and_only_up_to_its_end() -> None:
    end = END - START
    month = after(report(end - 1000, 50_000), report(end + 200, 51_200), report(end + 1400, 52_400))
    assert month.credited_s == 2460 + 1000


def test_a_boot_after_the_period_is_credited_what_lies_in_it() -> None:
    end = END - START
    assert after(report(end - 1000, 9000), report(end + 100, 400)).credited_s == 2460 + 300
    assert after(report(end - 1000, 9000), report(end + 500, 400)).credited_s == 2460


def test_a_first_report_after_the_period_earns_nothing() -> None:
    assert after(report(END - START + 5, 9000)).credited_s == 0


def test_a_sleep_over_the_end_is_credited_up_to_it() -> None:
    end = END - START
    down = (report(end - 3000, 9000), target(end - 2500, DOWN), state(end - 2400, DOWN))
    assert closed(*down, target(end + HOUR, UP), report(end + HOUR + 300, 60)).credited_s == 2460 + 600 + 2400


def test_a_window_that_opens_after_the_period_earns_nothing_in_it() -> None:
    end = END - START
    down = (report(end - 100, 9000), target(end + 50, DOWN), state(end + 60, DOWN))
    assert after(*down, target(end + 900, UP), report(end + 1200, 60)).credited_s == 2460


def test_events_later_than_27_hours_after_the_period_change_nothing() -> None:
    assert after(*ASLEEP_AT_1000, target(END - START + 27 * HOUR + 1, UP)).request_s is None


def test_what_was_not_reported_up_to_the_end_is_lost() -> None:
    losses: list[Loss | None] = []
    ledger = MonthLedger(PERIOD, lambda _, booking: losses.append(booking.loss))
    for event in ABORTED:
        ledger.add(event)
    ledger.close(NODE)
    assert losses[-1] is Loss.NOT_REPORTED


@pytest.mark.parametrize(
    ("events", "loss"),
    [
        ((*ABORTED, report(9000, 14_000)), Loss.ABORTED_SLEEP),
        ((report(600, 5600), state(1000, DOWN), target(1100, UP)), Loss.CALLED_AWAKE),
        ((report(600, 5600),), Loss.NOT_REPORTED),
    ],
)
def test_the_rest_of_a_month_that_ends_without_credit_says_why(events: tuple[Event, ...], loss: Loss) -> None:
    bookings: list[Booking] = []
    ledger = MonthLedger(PERIOD, lambda _, booking: bookings.append(booking))
    for event in events:
        ledger.add(event)
    ledger.close(NODE)
    assert bookings[-1].loss is loss
    assert bookings[-1].until_s == END


def test_a_month_that_was_booked_to_its_end_loses_nothing_when_it_is_closed() -> None:
    bookings: list[Booking] = []
    ledger = MonthLedger(PERIOD, lambda _, booking: bookings.append(booking))
    end = END - START
    for event in (report(end - 1000, 50_000), report(end + 200, 51_200)):
        ledger.add(event)
    count = len(bookings)
    ledger.close(NODE)
    assert len(bookings) == count


# -- in the middle of the period --------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("events", "at", "credited", "slow_boots"),
    [
        ((report(600, 5600),), 1800, 1800, 0),
        ((report(600, 5600),), 9600, 600 + 2460, 0),
        (ASLEEP_AT_1000, 9000, 9000, 0),
        (ASLEEP_AT_1000, 1001 + DAY, 1000, 0),
        ((*ASLEEP_AT_1000, target(5000, UP)), 6800, 6800, 0),
        ((*ASLEEP_AT_1000, target(5000, UP)), 6801, 1000, 1),
        ((*ABORTED, report(2400, 7400)), 2500, 1000, 0),
        ((*STILL_DOWN, *ASLEEP_AGAIN), 4700, 4700, 0),
        ((*STILL_DOWN, *ASLEEP_AGAIN, report(4800, 9800)), 4900, 1000, 0),
        ((), 5000, 0, 0),
    ],
)
def test_what_is_still_in_time_counts_as_if_it_came(
    events: tuple[Event, ...], at: int, credited: int, slow_boots: int
) -> None:
    month, booking = so_far(after(*events), START + at, PERIOD)
    assert (month.credited_s, month.slow_boots, month.booked_until_s) == (credited, slow_boots, START + at)
    assert booking is not None
    assert booking.credited_s + booking.lost_s >= 0
