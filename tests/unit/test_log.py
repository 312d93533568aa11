"""The log: for a person, for a program, and against text that tries to fake lines."""

from __future__ import annotations

import io
import json
import logging
import os
from collections.abc import Iterator
from pathlib import Path
from typing import get_args

import pytest

from app.adapters.telemetry.log import OWN_LOGGERS, LogTelemetry, TextFormatter, goes_to_journal, setup_logging
from app.adapters.telemetry.repetitions import FREE, LINES_MAX, Repetitions
from app.adapters.telemetry.sentences import SENTENCES
from app.domain.events import (
    DomainEvent,
    EventDeadLettered,
    FaultRaised,
    OperationFailed,
    PowerOffDecided,
    RebootDecided,
    Reconciled,
    StayingUp,
    UptimeSkipped,
    WakeBurstStarted,
)
from app.domain.model import NodeId
from tests.contracts.samples import DOMAIN_EVENTS


@pytest.fixture(autouse=True)
def _logging_as_it_was() -> Iterator[None]:
    """What `setup_logging` changes is the process's, and other tests log too."""
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    root.handlers = []  # so that force=True closes none of pytest's
    yield
    root.handlers, root.level = handlers, level
    for name in OWN_LOGGERS:
        logging.getLogger(name).setLevel(logging.NOTSET)


def log_in_text(event: DomainEvent, level: str = "debug") -> str:
    written = io.StringIO()
    setup_logging(level, "text", written)
    LogTelemetry(logging.getLogger("powerd")).record(event)
    return written.getvalue()


def test_every_domain_event_has_a_sentence() -> None:
    assert set(SENTENCES) == set(get_args(DomainEvent))


def test_a_person_reads_a_sentence_and_facts() -> None:
    line = log_in_text(WakeBurstStarted(NodeId(7), 2, "target is Up"))
    time, rest = line.split(" ", 1)
    assert rest == 'INFO waking a node node=7 attempt=2 reason="target is Up"\n'
    assert len(time) == len("2026-01-31T08:15:00.250Z")
    assert time.endswith("Z")


def test_lists_and_nothing_read_naturally() -> None:
    assert "problems=readonly-cache,limited-cache" in log_in_text(UptimeSkipped(("readonly-cache", "limited-cache")))
    assert "problems=none" in log_in_text(UptimeSkipped(()))


@pytest.mark.parametrize(
    ("retry_in_s", "shown"), [(0.5867520362880968, "0.587"), (37.5, "37.5"), (0.0, "0.0"), (600.0, "600.0")]
)
def test_seconds_are_shown_to_the_millisecond(retry_in_s: float, shown: str) -> None:
    assert log_in_text(OperationFailed("reading", "away", retry_in_s)).endswith(f" retry_in_s={shown}\n")


@pytest.mark.parametrize("event", DOMAIN_EVENTS, ids=lambda event: type(event).__name__)
def test_a_program_reads_one_object_per_line(event: DomainEvent) -> None:
    written = io.StringIO()
    setup_logging("debug", "json", written)
    LogTelemetry(logging.getLogger("powerd")).record(event)
    [line] = written.getvalue().splitlines()
    record = json.loads(line)
    assert record["event"] == type(event).__name__
    assert set(record) == {"time", "level", "logger", "message", "event", "facts"}
    assert record["facts"]


def test_an_included_block_stands_beside_the_other_facts() -> None:
    uptime = next(sample for sample in DOMAIN_EVENTS if type(sample).__name__ == "UptimeReported")
    line = log_in_text(uptime)
    assert "uptime_s=86400 taken_at_s=1700000000 block_hash=0xdef block_number=none" in line


@pytest.mark.parametrize("evil", ["x\n2026 ERROR fault key=fake", "\x1b[2J", "a\u2028b", '"quoted" key=1'])
def test_no_text_can_fake_a_line_or_steer_the_terminal(evil: str) -> None:
    line = log_in_text(EventDeadLettered("1-0", evil))
    assert len(line.splitlines()) == 1
    assert line.rstrip("\n").isprintable()
    assert json.loads(line.rstrip("\n").split("reason=", 1)[1]) == evil


def test_a_library_can_not_fake_a_line_either() -> None:
    written = io.StringIO()
    setup_logging("info", "text", written)
    logging.getLogger("powerd").warning("answer: %s", "x\ny")
    assert written.getvalue().endswith("WARNING answer: x\\ny\n")


def test_routine_is_quiet_at_info_and_setbacks_are_not() -> None:
    assert log_in_text(Reconciled("clock"), level="info") == ""
    assert "WARNING" in log_in_text(OperationFailed("reading the chain", "timed out", 2.5), level="info")


def test_libraries_are_heard_one_level_later() -> None:
    written = io.StringIO()
    setup_logging("debug", "text", written)
    logging.debug("substrate-interface logs so")  # noqa: LOG015
    logging.getLogger("app.adapters.linux").debug("ours")
    assert [line.split(" ", 1)[1] for line in written.getvalue().splitlines()] == ["DEBUG ours"]


@pytest.mark.parametrize("layout", ["text", "json"])
def test_a_traceback_is_kept(layout: str) -> None:
    written = io.StringIO()
    setup_logging("info", "json" if layout == "json" else "text", written)
    try:
        raise OSError("the disk is gone")
    except OSError:
        logging.getLogger("powerd").exception("bug")
    assert "Traceback" in written.getvalue()
    assert "the disk is gone" in written.getvalue()
    if layout == "json":
        assert "Traceback" in json.loads(written.getvalue())["exception"]


def test_setting_up_twice_leaves_one_handler() -> None:
    written = io.StringIO()
    setup_logging("info", "text", io.StringIO())
    setup_logging("info", "text", written)
    logging.getLogger("app").info("once")
    assert len(written.getvalue().splitlines()) == 1
    assert len(logging.getLogger().handlers) == 1


def test_an_unknown_level_is_refused() -> None:
    with pytest.raises(ValueError, match="'loud' is no log level"):
        setup_logging("loud", "text")


class LogOfADay:
    """A log whose time a test moves."""

    def __init__(self) -> None:
        self.now_s = 0.0
        self._written = io.StringIO()
        handler = logging.StreamHandler(self._written)
        handler.setFormatter(TextFormatter())
        handler.addFilter(Repetitions(lambda: self.now_s))
        self.logger = logging.Logger("alone", logging.DEBUG)  # noqa: LOG001  # a named one would outlive the test
        self.logger.addHandler(handler)
        self.telemetry = LogTelemetry(self.logger)

    @property
    def lines(self) -> list[str]:
        return self._written.getvalue().splitlines()


@pytest.fixture
def log() -> LogOfADay:
    return LogOfADay()


def test_a_line_per_head_of_which_only_the_figures_differ_is_written_some_times_a_day(log: LogOfADay) -> None:
    for head in range(14_400):
        log.now_s = head * 6.0
        log.telemetry.record(StayingUp(f"the best head {1000 + head} is {70 + head % 9}.5 s old, more than 60 s"))
    assert FREE < len(log.lines) < 40
    assert "left_out=" in log.lines[-1]


def test_a_warning_of_any_part_is_no_flood_either(log: LogOfADay) -> None:
    for second in range(3600):
        log.now_s = float(second)
        log.logger.warning("the head of %s is %.0f s old", "ws://a", 75 + second)
    assert len(log.lines) < FREE + 8
    assert log.lines[-1].endswith("such lines were left out)")


def test_what_is_new_is_written_at_once(log: LogOfADay) -> None:
    for _ in range(50):
        log.telemetry.record(OperationFailed("reading events", "no answer", 1.0))
    log.telemetry.record(OperationFailed("reading events", "refused", 1.0))
    log.telemetry.record(StayingUp("still waking node 2"))
    log.telemetry.record(StayingUp("still waking node 3"))
    assert len(log.lines) == FREE + 3


def test_a_line_that_did_not_come_for_long_is_new_again(log: LogOfADay) -> None:
    for _ in range(50):
        log.telemetry.record(OperationFailed("reading events", "no answer", 1.0))
    log.now_s = 4000.0
    for _ in range(50):
        log.telemetry.record(OperationFailed("reading events", "no answer", 1.0))
    assert len(log.lines) == 2 * FREE


def test_faults_routine_and_bugs_are_always_written(log: LogOfADay) -> None:
    for number in range(50):
        log.telemetry.record(FaultRaised("disk", f"{number} % full"))
        log.logger.info("routine")
        log.logger.error("bug", exc_info=ValueError("x"))
    assert len([line for line in log.lines if "Z " in line]) == 150


def test_lines_without_end_are_not_kept_without_end(log: LogOfADay) -> None:
    repetitions = Repetitions(lambda: 0.0)
    log.logger.handlers[0].addFilter(repetitions)
    for number in range(LINES_MAX + 100):
        log.logger.warning("a" * number)
    assert len(repetitions._lines) == LINES_MAX


# -- systemd's journal ---------------------------------------------------------------------------------
@pytest.mark.parametrize("layout", ["text", "json"])
def test_in_the_journal_a_line_has_its_priority_and_no_second_time(
    layout: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with (tmp_path / "journal").open("w+") as stream:
        place = os.fstat(stream.fileno())
        monkeypatch.setenv("JOURNAL_STREAM", f"{place.st_dev}:{place.st_ino}")
        setup_logging("debug", "json" if layout == "json" else "text", stream)
        for event in (WakeBurstStarted(NodeId(7), 2, "x"), FaultRaised("nic", "no card"), Reconciled("clock")):
            LogTelemetry(logging.getLogger("powerd")).record(event)
        try:
            raise ValueError("a bug")
        except ValueError:
            logging.getLogger("powerd").exception("it ended")
        stream.seek(0)
        lines = stream.read().splitlines()
    assert [line[:3] for line in lines[:3]] == ["<6>", "<3>", "<7>"]
    assert {line[:3] for line in lines[3:]} == {"<3>"}
    if layout == "text":
        assert lines[0] == "<6>INFO waking a node node=7 attempt=2 reason=x"
    else:
        assert json.loads(lines[0][3:])["facts"]["node"] == 7


def test_another_stream_than_the_journals_has_times_and_no_priorities(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("JOURNAL_STREAM", "8:12345")
    with (tmp_path / "log").open("w+") as stream:
        assert not goes_to_journal(stream, os.environ)
    assert not goes_to_journal(stream, os.environ), "one that is closed goes nowhere"
    assert log_in_text(FaultRaised("nic", "no card")).startswith("20")


def test_a_power_off_and_a_reboot_explain_themselves_in_one_line() -> None:
    lines = {type(event): log_in_text(event) for event in DOMAIN_EVENTS}
    assert lines[PowerOffDecided].split(" ", 1)[1] == (
        "WARNING powering off, since the target on chain is Down target=Down target_block=700 "
        'target_seen_since="2026-01-31 08:15 UTC" down_block=705 guards_passed=held,last_waker holds=none '
        'woken_by="magic packets"\n'
    )
    assert lines[RebootDecided].split(" ", 1)[1] == (
        "WARNING rebooting, since nothing is credited until this machine has booted target=Up target_block=708 "
        'uncredited_since="2026-01-31 08:15 UTC" called_up_at="2026-01-31 08:20 UTC" boot_by="2026-01-31 08:50 UTC" '
        "guards_passed=held holds=operator\n"
    )


@pytest.mark.parametrize("length", [100, 20_000])
def test_lines_that_no_program_reads_are_lost_and_counted(monkeypatch: pytest.MonkeyPatch, length: int) -> None:
    monkeypatch.setattr("app.adapters.telemetry.unread.WAIT_MS", 1)
    reader, writer = os.pipe()
    os.set_blocking(reader, False)
    with os.fdopen(reader, "rb") as read, os.fdopen(writer, "w") as stream:
        setup_logging("info", "json", stream)
        log = logging.getLogger("powerd")
        for number in range(1000):
            log.info("%d%s", number, "x" * length)
        before = read.read().decode()
        log.info("read again")
        *written, lost, last = (before + read.read().decode()).splitlines()
    assert json.loads(last)["message"] == "read again"
    whole = [line for line in written if line.endswith("}")]
    assert len(written) - len(whole) <= 1
    assert [json.loads(line)["message"] for line in whole] == [f"{n}{'x' * length}" for n in range(len(whole))]
    said = json.loads(lost)["message"]
    assert (
        said == f"{1000 - len(whole)} lines of the log are lost, since no program read them; powerd went on meanwhile"
    )
