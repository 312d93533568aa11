"""What `powerd status` shows: everything, in words, within the width of the terminal."""

from __future__ import annotations

import io
import re
import time
from collections.abc import Iterator
from dataclasses import replace

import pytest

from app.domain.faults import FaultKind
from app.domain.model import (
    FarmId,
    Head,
    HeadKind,
    Hold,
    NodeId,
    NodeIdentity,
    NodePower,
    Power,
    PowerState,
    TwinId,
    UptimeSample,
)
from app.domain.moments import utc
from app.domain.rules.shutdown import Step
from app.domain.status import DeadlineStatus, EventStatus, FaultStatus, NodeStatus, UncreditedStatus, WakeStatus
from app.entrypoints.powerd.status.page import STEPS, page
from app.entrypoints.terminal.colour import Paint

NOW_S = 1_800_000_000.0

WELL = NodeStatus(
    "0.1.0",
    identity=NodeIdentity(NodeId(7), FarmId(3), TwinId(8)),
    power=NodePower(PowerState(Power.UP), Power.UP),
    head=Head(HeadKind.BEST, 1234, "0x01", NOW_S - 4),
    looked_at_s=NOW_S - 4,
    last_uptime=UptimeSample(7200, int(NOW_S) - 60),
    last_uptime_age_s=60.0,
    deadlines=DeadlineStatus(NOW_S + 299, NOW_S + 1140, NOW_S + 2400),
    now_s=NOW_S,
)
WALLET = FaultStatus("wallet", "this node's account can't pay fees", NOW_S - 2700, "at once", FaultKind.WALLET.remedy)
EVERYTHING = replace(
    WELL,
    power=NodePower(PowerState(Power.DOWN, 1200), Power.DOWN),
    staying_up="held by backup: nightly copy of a very long disk that takes all of the night and more",
    uncredited=UncreditedStatus(NOW_S - 60, NOW_S - 30, NOW_S + 1770, NOW_S + 86_340),
    holds=(Hold("backup", "nightly copy", NOW_S + 3600), Hold("operator", "a new disk", None)),
    problems=("readonly-cache",),
    wakes=(
        WakeStatus(NodeId(2), "its target is Up", 3, 120.0, overdue=True, boot_by_s=NOW_S + 1680),
        WakeStatus(NodeId(4), "its target is Up", 0, 5.0, overdue=False, boot_by_s=NOW_S + 1795),
    ),
    faults=(WALLET, FaultStatus("of-a-newer-version", "something else", NOW_S - 100_000)),
    events=(
        EventStatus(NOW_S - 60, "UptimeReported", "uptime reported", {"uptime_s": "7200", "block_hash": "0x0102"}),
        EventStatus(NOW_S - 30, "StayingUp", "staying up", {}, times=3),
    ),
)


GOING_DOWN = NodePower(PowerState(Power.UP), Power.DOWN)


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def shown(status: NodeStatus, width: int = 80) -> list[str]:
    return list(page(status, width, Paint(io.StringIO())))


def words(lines: list[str]) -> str:
    return " ".join(" ".join(lines).split())


def test_a_node_that_is_well_needs_few_lines() -> None:
    lines = shown(WELL)
    assert lines[0] == "up, as its target says"
    assert lines[1:4] == [
        "node         7 of farm 3 (twin 8)",
        "chain        target Up, state Up, block 1234, read 4 s ago",
        "power-off    enabled",
    ]
    assert "uptime       2 h 1 min, last reported 1 min ago" in lines
    assert "next look    in 4 min 59 s, or at once on an event" in lines
    assert "next report in 19 min; paid without a gap if taken by " in words(lines)
    assert len(lines) <= 10


def test_everything_that_bears_on_the_node_is_on_one_screen() -> None:
    text = words(shown(EVERYTHING, 200))
    for part in (
        "up though its target is Down: held by backup: nightly copy",
        "FAULT wallet, since ",
        ", 45 min ago; look at once",
        "what to do " + FaultKind.WALLET.remedy,
        "FAULT of-a-newer-version, since ",
        "target Down, state Down since block 1200, block 1234, read 4 s ago",
        "not paid uptime has not been credited since",
        "(in 29 min 30 s) loses nothing",
        "hold backup: nightly copy (until ",
        "hold operator: a new disk (no end)",
        "unhealthy readonly-cache",
        "waking node 2: 3 bursts in 2 min, overdue; to be credited it boots by ",
        "(in 28 min) (its target is Up)",
        "waking node 4: left to other nodes for 5 s; to be credited",
        "next look in 4 min 59 s, or at once on an event",
        "next report in 19 min; paid without a gap if taken by ",
        "uptime reported: uptime_s 7200",
        "staying up (3 times)",
    ):
        assert part in text
    assert len(shown(EVERYTHING)) <= 40


@pytest.mark.parametrize("width", [30, 40, 60, 80, 132])
def test_no_line_is_wider_than_the_terminal_and_nothing_is_cut_off(width: int) -> None:
    lines = shown(EVERYTHING, width)
    assert max(map(len, lines)) <= width
    assert words(lines).replace(" ", "") == words(shown(EVERYTHING, 1000)).replace(" ", "")


def test_a_duration_is_not_torn_apart() -> None:
    for width in range(30, 120):
        assert [line for line in shown(EVERYTHING, width) if re.match(r"\s+(d|h|min|s)\b", line)] == []


def test_a_terminal_that_is_narrower_than_a_phone_gets_lines_all_the_same() -> None:
    assert max(map(len, shown(EVERYTHING, 5))) <= 30


@pytest.mark.parametrize("step", Step)
def test_each_step_of_a_shutdown_says_what_it_waits_for(step: Step) -> None:
    status = replace(WELL, shutdown_step=step.value)
    lines = words(shown(status))
    assert f"shutting down: {step.value}" in lines
    assert STEPS[step.value] in lines
    assert "next look" not in lines


def test_before_it_is_known_which_node_it_is_the_page_says_what_is_waited_for() -> None:
    lines = shown(NodeStatus("0.1.0", waiting_for="the registrar does not answer", now_s=NOW_S))
    assert lines == ["waiting to know which node this is: the registrar does not answer", "powerd       0.1.0"]


def test_a_window_without_a_boot_request_names_the_24_hours() -> None:
    window = UncreditedStatus(NOW_S - 60, None, None, NOW_S + 86_340)
    assert "shut down and woken by" in words(shown(replace(WELL, uncredited=window)))
    late = UncreditedStatus(NOW_S - 90_000, None, None, NOW_S - 3600)
    assert "(1 h ago), nothing is lost" in words(shown(replace(WELL, uncredited=late)))


def test_a_shutdown_that_has_said_down_is_no_alarm_and_names_the_24_hours() -> None:
    window = UncreditedStatus(NOW_S - 60, None, None, NOW_S + 86_340)
    lines = words(shown(replace(WELL, uncredited=window, shutdown_step="final")))
    assert "not paid" not in lines
    assert "24 hours woken and reporting by " in lines
    assert "(in 23 h 59 min), it is paid for" in lines


def test_what_others_wrote_steers_no_terminal() -> None:
    evil = replace(WELL, holds=(Hold("x\x1b[2J", "a\nb", 1e300),), staying_up="\x1b]0;title\x07")
    assert "\x1b" not in "".join(shown(evil))
    assert "second 1e+300 of Unix time" in words(shown(evil))


@pytest.mark.parametrize(
    ("status", "colour"),
    [
        (WELL, "32"),
        (replace(WELL, staying_up="a hold"), "33"),
        (replace(WELL, faults=(FaultStatus("events", "", NOW_S, "today"),)), "33"),
        (EVERYTHING, "31"),
    ],
)
def test_the_first_line_has_the_colour_of_the_worst(
    status: NodeStatus, colour: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.delenv("NO_COLOR", raising=False)
    assert next(page(status, 80, Paint(Terminal()))).startswith(f"\x1b[{colour}m")
    monkeypatch.setenv("NO_COLOR", "1")
    assert "\x1b" not in "".join(page(status, 80, Paint(Terminal())))


# -- the headline --------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("status", "headline"),
    [
        (WELL, "up, as its target says"),
        (NodeStatus("1", waiting_for="no answer"), "waiting to know which node this is: no answer"),
        (NodeStatus("1"), "up: the chain was not read yet"),
        (NodeStatus("1", staying_up="it can't be read"), "up: it can't be read"),
        (
            replace(WELL, power=GOING_DOWN),
            "up though its target is Down: about to go down",
        ),
        (replace(WELL, shutdown_step="final"), "shutting down: final"),
        (replace(WELL, faults=(WALLET,)), "up, as its target says; 1 fault: wallet"),
        (
            replace(WELL, wakes=EVERYTHING.wakes, faults=(WALLET,) * 5),
            "up, as its target says; waking node 2, 4; 5 faults: wallet, wallet, wallet and 2 more",
        ),
    ],
)
def test_the_headline_says_what_the_node_does_in_one_line(status: NodeStatus, headline: str) -> None:
    assert status.headline == headline


@pytest.fixture
def five_hours_east(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("TZ", "EAST-5")
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


@pytest.mark.usefixtures("five_hours_east")
def test_all_times_of_the_page_are_local_those_of_the_daemons_texts_too() -> None:
    message = f"uptime has not been credited since {utc(NOW_S - 3600)}; no day: 2025-99-99 10:00 UTC"
    faults = (FaultStatus("uncredited", message, NOW_S - 3600, "at once"),)
    text = words(shown(replace(WELL, faults=faults), width=200))
    assert "uncredited, since 12:00, 1 h ago" in text
    assert "not been credited since 2027-01-15 12:00; no day: 2025-99-99 10:00 UTC" in text
