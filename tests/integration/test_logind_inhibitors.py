"""`LogindInhibitors` and what busctl printed on real machines; the commands are scripts."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from app.adapters.linux.inhibitors import LogindInhibitors
from app.adapters.processes.command import OF_THE_SERVICE, ask_command, run_command
from app.domain.errors import HoldsUnreadable
from app.domain.model import Hold

pytestmark = pytest.mark.anyio

RECORDED = (
    r'{"type":"a(ssssuu)","data":[[["shutdown:sleep","apt «x»","installs; \"a\"","block",0,6663],'
    r'["sleep","NM","needs","delay",0,6665]]]}'
)
"""busctl 252 with its logind, two systemd-inhibit running."""

NO_ONE = '{"type":"a(ssssuu)","data":[[]]}'

ABSENT = [
    "Failed to connect to bus: No such file or directory",
    "Call failed: The name org.freedesktop.login1 was not provided by any .service files",
    "Call failed: Unit dbus-org.freedesktop.login1.service not found.",
    # systemd 252 after `systemctl mask --now systemd-logind.service`, on a machine of tests/machines.
    "Call failed: Unit dbus-org.freedesktop.login1.service failed to load properly, please adjust/correct and reload …",
]


def asking(script: str, *, required: bool = False, timeout_s: float = 30.0) -> LogindInhibitors:
    return LogindInhibitors(("/bin/sh", "-c", script), timeout_s, required=required)


def printing(tmp_path: Path, answer: str) -> LogindInhibitors:
    (tmp_path / "answer").write_text(answer)
    return asking(f"cat {tmp_path}/answer")


def row(what: str, mode: str) -> list[object]:
    return [what, "who", "why", mode, 0, 7]


def gone(pid_file: Path) -> bool:
    return not Path(f"/proc/{pid_file.read_text().strip()}").exists()


async def doubt(inhibitors: LogindInhibitors) -> str:
    with pytest.raises(HoldsUnreadable) as caught:
        await inhibitors.active()
    return str(caught.value)


async def test_the_command_can_not_speak_to_systemd_in_the_daemons_name(monkeypatch: pytest.MonkeyPatch) -> None:
    """busctl would, and systemd would log at every look that it may not."""
    for name in OF_THE_SERVICE:
        monkeypatch.setenv(name, "/run/systemd/notify")
    monkeypatch.setenv("LANG", "kept")
    answered = await ask_command(("env",), 30.0, 100_000)
    names = {line.partition("=")[0] for line in answered.output.splitlines()}
    assert not OF_THE_SERVICE & names
    assert "LANG" in names
    assert not OF_THE_SERVICE & {
        line.partition("=")[0] for line in (await run_command(("env",), 30.0)).tail.split("\n")
    }


async def test_a_block_inhibitor_of_a_shutdown_is_a_hold_by_who_took_it(tmp_path: Path) -> None:
    assert list(await printing(tmp_path, RECORDED).active()) == [
        Hold("apt «x» (pid 6663, uid 0)", 'installs; "a"', None)
    ]
    assert list(await printing(tmp_path, NO_ONE).active()) == []


@pytest.mark.parametrize(
    ("what", "mode", "counts"),
    [
        ("shutdown", "block", True),
        ("idle:shutdown:sleep", "block", True),
        ("shutdown", "delay", False),
        ("shutdown", "block-weak", False),
        ("sleep", "block", False),
        ("idle:handle-power-key", "block", False),
        ("shutdowns", "block", False),
        ("", "block", False),
    ],
)
async def test_only_what_names_shutdown_and_blocks_counts(tmp_path: Path, what: str, mode: str, counts: bool) -> None:
    answer = json.dumps({"type": "a(ssssuu)", "data": [[row(what, mode)]]})
    assert len(await printing(tmp_path, answer).active()) == counts


async def test_a_long_list_is_read_to_its_end(tmp_path: Path) -> None:
    answer = json.dumps({"type": "a(ssssuu)", "data": [[row("shutdown", "block")] * 5000]})
    assert len(await printing(tmp_path, answer).active()) == 5000


async def test_complaints_beside_the_answer_do_not_spoil_it() -> None:
    assert list(await asking(f"echo 'a warning' >&2; echo '{NO_ONE}'").active()) == []


@pytest.mark.parametrize("words", ABSENT)
async def test_without_logind_there_are_none_unless_it_is_required(words: str) -> None:
    script = f"echo '{words}' >&2; exit 1"
    assert list(await asking(script).active()) == []
    assert "set holds.kind to auto or files" in await doubt(asking(script, required=True))


@pytest.mark.parametrize("words", ABSENT)
async def test_r6_a_logind_that_answered_before_and_is_gone_is_doubt_until_it_answers(
    tmp_path: Path, words: str
) -> None:
    """An upgrade of dbus or systemd takes them away for a moment, and holds an inhibitor itself."""
    away = tmp_path / "away"
    inhibitors = asking(f"[ ! -e {away} ] && echo '{NO_ONE}' || {{ echo '{words}' >&2; exit 1; }}")
    assert list(await inhibitors.active()) == []
    away.touch()
    said = await doubt(inhibitors)
    assert words in said
    assert "if this host has no logind any more, restart powerd" in said
    away.unlink()
    assert list(await inhibitors.active()) == []


async def test_r6_a_command_that_was_there_before_and_is_gone_is_doubt(tmp_path: Path) -> None:
    busctl = tmp_path / "busctl"
    busctl.write_text(f"#!/bin/sh\necho '{NO_ONE}'\n")
    busctl.chmod(0o755)
    inhibitors = LogindInhibitors((str(busctl),), 30, required=False)
    assert list(await inhibitors.active()) == []
    busctl.unlink()
    assert f"there is no {busctl}" in await doubt(inhibitors)


async def test_without_the_command_there_are_none_unless_it_is_required() -> None:
    for required in (False, True):
        inhibitors = LogindInhibitors(("/nowhere/busctl", "call"), 10, required=required)
        if required:
            assert "there is no /nowhere/busctl" in await doubt(inhibitors)
        else:
            assert list(await inhibitors.active()) == []


@pytest.mark.parametrize(
    "words",
    [
        "Call failed: Access denied",
        "Failed to connect to bus: Connection refused",
        "Call failed: Connection timed out",
        "",
    ],
)
async def test_any_other_failure_is_doubt(words: str) -> None:
    said = await doubt(asking(f"echo '{words}' >&2; exit 1"))
    assert "logind's inhibitors" in said
    assert f"exited with 1: {words or 'it printed nothing'}" in said


@pytest.mark.parametrize(
    "answer",
    [
        "",
        "null",
        "{",
        "[" * 100_000,
        "{}",
        '{"type":"as","data":[[]]}',
        '{"type":"a(ssssuu)","data":[]}',
        '{"type":"a(ssssuu)","data":[[["shutdown"]]]}',
        '{"type":"a(ssssuu)","data":[[["shutdown","who","why","block",0,true]]]}',
        '{"type":"a(ssssuu)","data":[[null]]}',
        '{"type":"a(ssssuu)","data":{"0":[]}}',
        RECORDED[:-3],
        f"{NO_ONE}\n{NO_ONE}",
        "x" * 3_000_000,
    ],
    ids=lambda answer: repr(answer[:50]),
)
async def test_an_answer_that_can_not_be_read_is_doubt(tmp_path: Path, answer: str) -> None:
    said = await doubt(printing(tmp_path, answer))
    assert "printed no list of inhibitors" in said
    assert len(said) < 1000


async def test_an_answer_that_is_late_is_doubt_and_the_command_is_killed(tmp_path: Path) -> None:
    script = f"echo $$ >{tmp_path}/pid; exec sleep 60"
    assert "did not end within 2 s, and was killed" in await doubt(asking(script, timeout_s=2))
    assert gone(tmp_path / "pid")


async def test_a_command_that_may_not_be_run_is_doubt(tmp_path: Path) -> None:
    (tmp_path / "busctl").write_text("")
    assert "can't be run" in await doubt(LogindInhibitors((str(tmp_path / "busctl"),), 10, required=False))
