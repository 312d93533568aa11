"""What every `RtcAlarm` does: the simulated clock, and the Linux adapter on a directory like the kernel's."""

from __future__ import annotations

import errno
import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest
from pytest_mock import MockerFixture

from app.adapters.linux.rtc_alarm import LinuxRtcAlarm
from app.adapters.simulated.clock import VirtualClock
from app.adapters.simulated.rtc_alarm import SimulatedRtcAlarm
from app.domain.errors import RtcUnusable
from app.ports.rtc_alarm import RtcAlarm
from tests.rigs.virtual_time import Body, run_really, run_virtually

LOCAL_TIME_S = 1_700_007_200
"""What a clock reads that keeps another time than the system."""


@dataclass(frozen=True)
class Rig:
    """An alarm; how to bring about what disappoints; how another program sets it; how time passes on the clock."""

    rtc: RtcAlarm
    disappoint: Callable[[str], None]
    another_sets: Callable[[int], None]
    pass_time: Callable[[int], None]
    run: Callable[[Body], None]


def simulated(_: Path) -> Rig:
    class LaterClock(VirtualClock):
        later_s = 0

        def now(self) -> float:
            return LOCAL_TIME_S + self.later_s

    clock = LaterClock()
    rtc = SimulatedRtcAlarm(clock)

    def pass_time(seconds: int) -> None:
        clock.later_s += seconds

    def another_sets(ahead_s: int) -> None:
        rtc.due_at_s = clock.now() + ahead_s

    return Rig(rtc, lambda how: setattr(rtc, how, True), another_sets, pass_time, run_virtually)


def linux(tmp_path: Path) -> Rig:
    wakealarm, since_epoch = tmp_path / "wakealarm", tmp_path / "since_epoch"
    wakealarm.write_text("")
    since_epoch.write_text(f"{LOCAL_TIME_S}\n")

    def disappoint(how: str) -> None:
        wakealarm.unlink()
        match how:
            case "refuses":
                wakealarm.mkdir()
            case "forgets":
                wakealarm.symlink_to("/dev/null")

    def pass_time(seconds: int) -> None:
        since_epoch.write_text(f"{int(since_epoch.read_text()) + seconds}\n")

    def another_sets(ahead_s: int) -> None:
        wakealarm.write_text(f"{int(since_epoch.read_text()) + ahead_s}\n")

    return Rig(LinuxRtcAlarm(tmp_path, tmp_path / "kept"), disappoint, another_sets, pass_time, run_really)


@pytest.fixture(params=[simulated, linux])
def rig(request: pytest.FixtureRequest, tmp_path: Path) -> Rig:
    made: Rig = request.param(tmp_path)
    return made


def test_an_alarm_that_is_set_reads_back_until_it_is_over(rig: Rig) -> None:
    async def body() -> None:
        assert isinstance(rig.rtc, RtcAlarm)
        assert await rig.rtc.due_in_s() is None
        await rig.rtc.arm(82_800)
        assert await rig.rtc.due_in_s() == 82_800
        rig.pass_time(80_000)
        assert await rig.rtc.due_in_s() == 2800
        rig.pass_time(2800)
        assert await rig.rtc.due_in_s() is None

    rig.run(body)


def test_an_alarm_takes_the_place_of_another_one_and_is_cleared(rig: Rig) -> None:
    async def body() -> None:
        await rig.rtc.arm(82_800)
        await rig.rtc.arm(600)
        assert await rig.rtc.due_in_s() == 600
        for _ in range(2):
            await rig.rtc.clear()
            assert await rig.rtc.due_in_s() is None

    rig.run(body)


def test_an_alarm_of_another_program_is_not_ours_and_is_not_cleared(rig: Rig) -> None:
    async def body() -> None:
        assert not await rig.rtc.mine()
        rig.another_sets(3600)
        assert not await rig.rtc.mine()
        await rig.rtc.clear()
        assert await rig.rtc.due_in_s() == 3600
        await rig.rtc.arm(600)
        assert await rig.rtc.mine()
        rig.another_sets(1200)
        assert not await rig.rtc.mine()
        await rig.rtc.clear()
        assert await rig.rtc.due_in_s() == 1200

    rig.run(body)


@pytest.mark.parametrize("slept_s", [0, 600, 3000])
def test_what_ours_took_the_place_of_is_put_back_while_it_is_ahead(rig: Rig, slept_s: int) -> None:
    async def body() -> None:
        rig.another_sets(3600)
        await rig.rtc.arm(900)
        await rig.rtc.arm(600)
        assert await rig.rtc.due_in_s() == 600
        rig.pass_time(slept_s)
        await rig.rtc.clear()
        assert await rig.rtc.due_in_s() == 3600 - slept_s
        assert not await rig.rtc.mine()

    rig.run(body)


def test_what_is_over_is_not_put_back(rig: Rig) -> None:
    async def body() -> None:
        rig.another_sets(3600)
        await rig.rtc.arm(600)
        rig.pass_time(3600)
        await rig.rtc.clear()
        assert await rig.rtc.due_in_s() is None

    rig.run(body)


def test_a_clock_without_an_alarm_is_unusable(rig: Rig) -> None:
    async def body() -> None:
        rig.disappoint("missing")
        with pytest.raises(RtcUnusable):
            await rig.rtc.arm(600)
        with pytest.raises(RtcUnusable):
            await rig.rtc.due_in_s()
        with pytest.raises(RtcUnusable):
            await rig.rtc.clear()

    rig.run(body)


def test_an_alarm_that_is_refused_is_unusable(rig: Rig) -> None:
    async def body() -> None:
        rig.disappoint("refuses")
        with pytest.raises(RtcUnusable):
            await rig.rtc.arm(600)

    rig.run(body)


def test_a_clock_that_forgets_is_found_out_by_reading_back(rig: Rig) -> None:
    async def body() -> None:
        rig.disappoint("forgets")
        await rig.rtc.arm(600)
        assert await rig.rtc.due_in_s() is None

    rig.run(body)


def test_a_missing_file_is_named_with_the_remedy_and_never_made(tmp_path: Path) -> None:
    (tmp_path / "since_epoch").write_text("1700000000\n")

    async def body() -> None:
        with pytest.raises(RtcUnusable, match=r"wakealarm is missing: .*rtc_alarm\.device.*rtc_alarm\.enabled"):
            await LinuxRtcAlarm(tmp_path, tmp_path / "kept").arm(600)

    run_really(body)
    assert not (tmp_path / "wakealarm").exists()


def test_what_is_no_time_is_named(tmp_path: Path) -> None:
    (tmp_path / "since_epoch").write_text("1700000000\n")
    (tmp_path / "wakealarm").write_text("tomorrow")

    async def body() -> None:
        with pytest.raises(RtcUnusable, match="tomorrow"):
            await LinuxRtcAlarm(tmp_path, tmp_path / "kept").due_in_s()

    run_really(body)


def test_a_driver_that_hangs_is_left_alone(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "since_epoch")  # opening it for reading waits for a writer

    async def body() -> None:
        with pytest.raises(RtcUnusable, match="did not answer within 0"):
            await LinuxRtcAlarm(tmp_path, tmp_path / "kept", timeout_s=0.05).arm(600)

    run_really(body)
    (tmp_path / "since_epoch").open("w").close()  # lets the thread go


def test_whose_alarm_it_is_outlives_the_process_and_a_clock_that_knows_minutes_only(tmp_path: Path) -> None:
    wakealarm = tmp_path / "wakealarm"
    (tmp_path / "since_epoch").write_text("1700000000\n")
    wakealarm.write_text("")

    async def body() -> None:
        await LinuxRtcAlarm(tmp_path, tmp_path / "kept").arm(630)
        wakealarm.write_text("1700000600\n")
        later = LinuxRtcAlarm(tmp_path, tmp_path / "kept")
        assert await later.mine()
        await later.clear()
        assert await later.due_in_s() is None
        assert not (tmp_path / "kept").exists()

    run_really(body)


@pytest.mark.parametrize("content", ["", "{", "[]", '{"set_s": 1}', '{"set_s": "x", "displaced_s": null}', "7"])
def test_a_record_that_is_none_leaves_the_alarm_alone(tmp_path: Path, content: str) -> None:
    (tmp_path / "since_epoch").write_text("1700000000\n")
    (tmp_path / "wakealarm").write_text("1700000600\n")
    (tmp_path / "kept").write_text(content)

    async def body() -> None:
        rtc = LinuxRtcAlarm(tmp_path, tmp_path / "kept")
        await rtc.clear()
        assert await rtc.due_in_s() == 600
        assert not await rtc.mine()

    run_really(body)


def test_a_record_that_can_not_be_kept_does_not_keep_the_alarm_from_being_set(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "since_epoch").write_text("1700000000\n")
    (tmp_path / "wakealarm").write_text("")

    async def body() -> None:
        rtc = LinuxRtcAlarm(tmp_path, tmp_path / "since_epoch" / "kept")
        await rtc.arm(600)
        assert await rtc.due_in_s() == 600

    run_really(body)
    assert "can't be written" in caplog.text


def test_an_alarm_that_is_refused_leaves_that_of_another_program(tmp_path: Path, mocker: MockerFixture) -> None:
    (tmp_path / "since_epoch").write_text("1700000000\n")
    (tmp_path / "wakealarm").write_text("1700003600\n")
    write = os.write

    def refuse_far(descriptor: int, data: bytes) -> int:
        if data == b"1700082800":
            raise OSError(errno.EINVAL, "Invalid argument")
        return write(descriptor, data)

    mocker.patch("app.adapters.linux.rtc_alarm.os.write", side_effect=refuse_far)

    async def body() -> None:
        rtc = LinuxRtcAlarm(tmp_path, tmp_path / "kept")
        with pytest.raises(RtcUnusable, match="Invalid argument"):
            await rtc.arm(82_800)
        assert await rtc.due_in_s() == 3600

    run_really(body)
