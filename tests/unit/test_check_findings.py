"""How checks run beside each other, and how their findings are printed."""

from __future__ import annotations

import asyncio
import io
import threading
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from app.adapters.substrate.endpoint_look import EndpointLook
from app.domain.errors import ChainUnavailable, PermanentError
from app.domain.model import Head, HeadKind
from app.entrypoints.check.bounded import BoundedRun
from app.entrypoints.check.check import Check
from app.entrypoints.check.finding import Finding, Row, Severity, failed, of_error, ok, warning, worst
from app.entrypoints.check.looks import chain
from app.entrypoints.check.looks.settings import settings
from app.entrypoints.check.once import Once
from app.entrypoints.check.report import write_text
from app.entrypoints.check.subject import Subject
from app.entrypoints.check.table import CHECKS
from app.entrypoints.documents.check import document
from app.entrypoints.settings.schema import Settings
from app.entrypoints.settings.schema_network import Chain
from app.entrypoints.settings.schema_services import PowerManagement, Uptime

PAGE = Path(__file__).parents[2] / "docs" / "check.md"


def test_the_page_is_up_to_date() -> None:
    assert PAGE.read_text() == document(), "run python -m app.entrypoints.documents.check"


def test_what_a_check_needs_stands_before_it_and_its_name_fits_the_column() -> None:
    names = [check.name for check in CHECKS]
    assert len(set(names)) == len(names)
    assert max(map(len, names)) <= 10
    for place, check in enumerate(CHECKS):
        assert set(check.needs) <= set(names[:place]), check.name


async def well(_: Subject) -> Sequence[Finding]:
    return [ok("fine")]


async def bad(_: Subject) -> Sequence[Finding]:
    raise PermanentError("the thing is broken; fix it")


async def defective(_: Subject) -> Sequence[Finding]:
    raise KeyError("oops")


async def hanging(_: Subject) -> Sequence[Finding]:
    await asyncio.Event().wait()
    return []


def rows_of(*checks: Check, time_s: float = 60.0) -> list[Row]:
    return list(BoundedRun(checks, Subject(Settings(), {}, time_s)).outcome().rows)


def test_one_that_hangs_ends_in_time_and_what_needs_it_is_skipped() -> None:
    rows = rows_of(
        Check("stuck", "", "pull it out", hanging),
        Check("after", "", "", well, needs=("stuck",)),
        Check("later", "", "", well, needs=("after",)),
        Check("beside", "", "", well),
        time_s=0.01,
    )
    assert [(row.check, row.finding.severity) for row in rows] == [
        ("stuck", Severity.FAILED),
        ("after", Severity.SKIPPED),
        ("later", Severity.SKIPPED),
        ("beside", Severity.OK),
    ]
    assert rows[0].finding == failed("no answer within 0.01 s", "pull it out")
    assert rows[1].finding.seen == "it needs stuck"


def test_what_asyncio_can_not_end_is_left_behind_and_the_other_findings_are_shown() -> None:
    let_go = threading.Event()

    async def blocking(_: Subject) -> Sequence[Finding]:
        let_go.wait()
        return []

    async def in_a_thread(_: Subject) -> Sequence[Finding]:
        await asyncio.to_thread(let_go.wait)
        return []

    checks = [Check("beside", "", "", well), Check("thread", "", "ask again", in_a_thread)]
    try:
        for stuck in ([], [Check("disk", "", "fix it", blocking)]):
            outcome = BoundedRun([*checks, *stuck], Subject(Settings(), {}, 0.2), grace_s=0.2).outcome()
            assert outcome.hangs
            assert [row.finding for row in outcome.rows if row.check != "beside"] == [
                failed("no answer within 0.2 s", "ask again"),
                *[failed("no answer within 0.2 s", "fix it") for _ in stuck],
            ]
    finally:
        let_go.set()


def test_an_error_and_a_defect_are_findings_and_spoil_no_other() -> None:
    broken, defect, fine = (
        row.finding for row in rows_of(Check("a", "", "", bad), Check("b", "", "", defective), Check("c", "", "", well))
    )
    assert broken == failed("the thing is broken", "fix it")
    assert defect.seen == "this check is broken: KeyError('oops')"
    assert fine == ok("fine")


def test_one_that_is_of_no_use_does_not_run_and_stops_none_that_needs_it() -> None:
    rows = rows_of(
        Check("away", "", "", bad, not_here=lambda _: "no such adapter"), Check("next", "", "", well, needs=("away",))
    )
    assert [row.finding.severity for row in rows] == [Severity.NOT_HERE, Severity.OK]


def test_a_need_that_was_not_chosen_is_not_waited_for() -> None:
    assert [row.finding for row in rows_of(Check("next", "", "", well, needs=("away",)))] == [ok("fine")]


def test_an_error_without_a_remedy_gets_that_of_the_check() -> None:
    assert of_error(PermanentError("it broke"), "fix it") == failed("it broke", "fix it")


@pytest.mark.parametrize(
    ("findings", "severity"),
    [
        ([], Severity.OK),
        ([ok(""), Finding(Severity.SKIPPED, "")], Severity.OK),
        ([ok(""), warning("", "")], Severity.WARNING),
        ([failed("", ""), warning("", "")], Severity.FAILED),
    ],
)
def test_the_worst_finding_counts(findings: Sequence[Finding], severity: Severity) -> None:
    assert worst([Row("x", each) for each in findings]) is severity


NOW_S = 1_700_000_000.0
WELL = EndpointLook(
    "ws://a",
    "0x" + "aa" * 32,
    "substrate-threefold 149",
    Head(HeadKind.BEST, 1003, "0x3", NOW_S - 6),
    Head(HeadKind.FINALIZED, 1000, "0x0", NOW_S - 24),
    takes_extrinsics=True,
    syncing=False,
    lonely=False,
)


class At:
    """A clock that stands."""

    def now(self) -> float:
        return NOW_S


def endpoints_of(*looks: EndpointLook | ChainUnavailable, genesis: str = "") -> list[Finding]:
    async def told() -> Mapping[str, EndpointLook | ChainUnavailable]:
        return {f"ws://{number}": look for number, look in enumerate(looks)}

    async def body() -> Sequence[Finding]:
        subject = Subject(Settings(chain=Chain(genesis_hash=genesis)), {}, 60.0)
        subject.clock, subject.endpoints = At(), Once(told)  # type: ignore[assignment]  # all that is asked of it
        return await chain.endpoints(subject)

    return list(asyncio.run(body()))


@pytest.mark.parametrize(
    ("change", "severity", "seen"),
    [
        (
            {},
            Severity.OK,
            "substrate-threefold 149, block 1003, finalized 3 behind; takes extrinsics; genesis 0xaaaaaaaa…",
        ),
        ({"takes_extrinsics": None}, Severity.OK, "does not say whether it takes extrinsics"),
        ({"takes_extrinsics": False}, Severity.FAILED, "takes no extrinsics"),
        ({"syncing": True}, Severity.WARNING, "is still syncing"),
        ({"lonely": True}, Severity.WARNING, "has no peers"),
        (
            {"genesis": "0xbb"},
            Severity.FAILED,
            "its genesis is 0xbb, and that of chain.genesis_hash is 0xaa",
        ),
        ({"best": Head(HeadKind.BEST, 900, "0x", NOW_S - 61)}, Severity.FAILED, "its best head 900 is 61 s old"),
        (
            {"finalized": Head(HeadKind.FINALIZED, 900, "0x", NOW_S - 121)},
            Severity.FAILED,
            "its finalized head 900 is 121 s old, more than 120 s",
        ),
    ],
)
def test_what_an_endpoint_says_of_itself_is_judged(change: dict[str, Any], severity: Severity, seen: str) -> None:
    (finding,) = endpoints_of(replace(WELL, **change), genesis=WELL.genesis)
    assert finding.severity is severity
    assert seen in finding.seen
    assert bool(finding.remedy) is (severity is not Severity.OK)


def test_without_a_genesis_in_the_settings_the_first_that_answers_is_right() -> None:
    away, first, other = endpoints_of(ChainUnavailable("gone"), WELL, replace(WELL, genesis="0xbb"))
    assert [away.severity, first.severity, other.severity] == [Severity.WARNING, Severity.OK, Severity.WARNING]
    assert other.seen.startswith(
        "serves another chain: its genesis is 0xbb, and that of the first endpoint that answered"
    )


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


ROWS = [Row("address", failed("it is\x1b[2J 54:b2", "fix it", "eth0")), Row("gone", Finding(Severity.NOT_HERE, ""))]


def test_colours_are_for_terminals_and_what_others_sent_can_not_steer_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("NO_COLOR", raising=False)
    terminal, file = Terminal(), io.StringIO()
    write_text(ROWS, 1.0, terminal)
    write_text(ROWS, 1.0, file)
    assert terminal.getvalue().startswith("\x1b[31mfailed \x1b[0m address    eth0: it is\\x1b[2J 54:b2\n")
    assert file.getvalue().splitlines() == [
        "failed  address    eth0: it is\\x1b[2J 54:b2",
        "                   remedy: fix it",
        "1 failed; 1.0 s",
    ]
    monkeypatch.setenv("NO_COLOR", "1")
    plain = Terminal()
    write_text(ROWS, 1.0, plain)
    assert plain.getvalue() == file.getvalue()


@pytest.mark.parametrize(
    ("given", "warned"),
    [
        (Settings(), []),
        (Settings(uptime=Uptime(interval_s=2401.0)), ["an uptime report every 2401 s leaves time unpaid"]),
        (
            Settings(power_management=PowerManagement(sign_of_life_s=7200.0)),
            ["power_management.sign_of_life_s: a node that froze counts as awake for 7200 s"],
        ),
    ],
)
def test_settings_that_are_allowed_and_cost_time_or_a_wake_are_warned_of(given: Settings, warned: list[str]) -> None:
    found = asyncio.run(settings(Subject(given, {}, 60.0)))
    assert [each.seen for each in found if each.severity is Severity.WARNING] == warned
