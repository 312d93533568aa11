"""What a user may say of time, and what powerd says of it."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from click.testing import CliRunner

from app.entrypoints.powerd.cli import main
from app.entrypoints.terminal.durations import LATEST_S, WrongTime, duration_s, expiry, point_in_time_s, shown_duration

NOW_S = datetime(2026, 1, 31, 8, 15, tzinfo=UTC).timestamp()


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("90s", 90), ("15m", 900), ("2h", 7200), ("1d", 86_400), ("1h30m", 5400), (" 1d2h3m4s ", 93_784), ("0d1s", 1)],
)
def test_a_duration_is_counted_in_seconds(text: str, seconds: int) -> None:
    assert duration_s(text) == seconds
    assert expiry(NOW_S, text, None) == NOW_S + seconds


@pytest.mark.parametrize("text", ["", "2", "h", "-2h", "+2h", "2x", "1.5h", "30m1h", "2 h", "0s", "٣h", "1" * 16 + "s"])
def test_an_invalid_duration_is_refused_with_the_reason(text: str) -> None:
    with pytest.raises(WrongTime, match="is no duration; say 90s, 15m, 2h"):
        duration_s(text)


@pytest.mark.parametrize("text", ["2026-01-31T08:15:00Z", "2026-01-31T09:15+01:00", "2026-01-31 03:15:00-05:00"])
def test_an_iso_time_is_that_point_in_time(text: str) -> None:
    assert point_in_time_s(text) == NOW_S
    assert expiry(0, None, text) == NOW_S


def test_without_an_offset_it_is_local_time() -> None:
    local = datetime.fromtimestamp(NOW_S, UTC).astimezone().replace(tzinfo=None)
    assert point_in_time_s(local.isoformat()) == NOW_S


@pytest.mark.parametrize("text", ["", "tomorrow", "1800000000000", "2026-02-30T00:00", "0001-01-01T00:00+23:59x"])
def test_an_invalid_iso_time_is_refused_with_the_reason(text: str) -> None:
    with pytest.raises(WrongTime, match="is no ISO time; say 2026-01-31T08:15"):
        point_in_time_s(text)


def test_a_hold_needs_no_end_and_has_one_at_most() -> None:
    assert expiry(NOW_S, None, None) is None
    with pytest.raises(WrongTime, match="--for and --until"):
        expiry(NOW_S, "1h", "2026-01-31T08:15")


def test_an_end_that_no_calendar_shows_is_refused() -> None:
    for duration, until in (("9999999d", None), (None, "9999-06-01T00:00Z"), ("9" * 15 + "d", None)):
        with pytest.raises(WrongTime, match="leave it out for a hold without end"):
            expiry(NOW_S, duration, until)
    assert expiry(LATEST_S - 2, "1s", None) == LATEST_S - 1


@pytest.mark.parametrize(
    ("seconds", "shown"),
    [
        (0.2, "1 s"),
        (59.6, "1 min"),
        (5400, "1 h 30 min"),
        (3601, "1 h"),
        (93_784, "1 d 2 h"),
        (86_400 * 400, "400 d"),
        (3570, "59 min 30 s"),
    ],
)
def test_a_duration_is_shown_by_its_two_largest_units(seconds: float, shown: str) -> None:
    assert shown_duration(seconds) == shown


@pytest.mark.parametrize(
    ("option", "refused", "why"),
    [
        (["check", "--timeout"], "10", "'10' is no duration; say 90s"),
        (["check", "--timeout"], "2h", "2h is more than 1 h"),
        (["farm", "down", "1", "--wait", "--timeout"], "300", "'300' is no duration; say 90s"),
        (["farm", "watch", "--every"], "6", "'6' is no duration; say 90s"),
        (["hold", "add", "backup", "--reason", "a backup", "--for"], "60", "'60' is no duration; say 90s"),
    ],
)
def test_every_option_that_is_a_duration_has_units(option: list[str], refused: str, why: str) -> None:
    done = CliRunner().invoke(main, [*option, refused])
    assert done.exit_code == 2
    assert why in done.output
