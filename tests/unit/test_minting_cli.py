"""``powerd farm minting --events``: a farmer's file, judged without a chain."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from app.entrypoints.powerd.cli import main

FILE = """\
{"event":"Initial","node":7,"state":"Down","since":1749990000,"target":"Down"}
{"time":1750002400,"node":7,"event":"PowerTargetChanged","target":"Up"}
{"time":1750002460,"node":7,"event":"PowerStateChanged","state":"Up"}
{"time":1750002470,"node":7,"event":"NodeUptimeReported","uptime":60}
{"time":1750002400,"node":3,"event":"NodeUptimeReported","uptime":60000}
{"time":1750005400,"node":3,"event":"NodeUptimeReported","uptime":63000}

{"time":1750007800,"node":3,"event":"NodeUptimeReported","uptime":64000}
"""
PERIOD = ("--start", "1750000000", "--end", "1750010000")


def run(tmp_path: Path, text: str, *arguments: str) -> tuple[int, str, str]:
    file = tmp_path / "events.jsonl"
    file.write_text(text)
    done = CliRunner().invoke(main, ["farm", "minting", "--events", str(file), *arguments], prog_name="powerd")
    return done.exit_code, done.stdout, done.stderr


def test_json_is_one_line_a_node_ascending(tmp_path: Path) -> None:
    code, out, _ = run(tmp_path, FILE, *PERIOD, "--json")
    assert code == 0
    assert [json.loads(line) for line in out.splitlines()] == [
        {"node": 3, "credited_s": 2400 + 2460, "slow_boots": 0, "violation": "UptimeTooLow"},
        {"node": 7, "credited_s": 2470, "slow_boots": 0, "violation": None},
    ]


def test_what_a_file_holds_can_neither_steer_a_terminal_nor_fake_a_line(tmp_path: Path) -> None:
    code, _, err = run(tmp_path, r'{"event":"\u001b[31m\npowerd: X","node":1}', *PERIOD)
    assert code == 2
    assert err.count("\n") == 1
    assert r"\x1b[31m\npowerd: X" in err


def test_people_see_what_was_lost_and_to_what(tmp_path: Path) -> None:
    code, out, _ = run(tmp_path, FILE, *PERIOD)
    assert code == 0
    assert "node 3 lost 0.15 h: no report for more than 41 minutes" in out
    assert "node 3 gets nothing for this period: UptimeTooLow at 2025-06-15 17:16" in out
    assert all(len(line) <= 80 for line in out.splitlines())


def test_on_forty_columns_it_is_a_block_a_node(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "40")
    code, out, _ = run(tmp_path, FILE, *PERIOD)
    assert code == 0
    lines = out.splitlines()
    assert max(map(len, lines)) <= 40
    first = lines.index("node 3")
    assert lines[first + 1 : first + 3] == ["  credited    1.35 h", "  share       48.6 %"]
    assert lines.index("node 7") > first


def test_one_node_is_explained_step_by_step(tmp_path: Path) -> None:
    code, out, _ = run(tmp_path, FILE, *PERIOD, "--explain", "3")
    assert code == 0
    assert out.splitlines()[:3] == [
        "node 3:",
        "  2025-06-15 15:46  first report of the period: credited 0.67 h",
        "  2025-06-15 16:36  report: credited 0.68 h, lost 0.15 h: no report for more than 41 minutes",
    ]


def test_reports_that_cost_nothing_are_drawn_together(tmp_path: Path) -> None:
    reports = "\n".join(
        f'{{"time":{1750000000 + at},"node":3,"event":"NodeUptimeReported","uptime":{9000 + at}}}'
        for at in range(1200, 10_001, 1100)
    )
    _, out, _ = run(tmp_path, reports, *PERIOD, "--explain", "3")
    assert "  2025-06-15 17:53  8 reports: credited 2.44 h" in out


def test_a_mark_that_an_editor_put_in_front_does_no_harm(tmp_path: Path) -> None:
    assert run(tmp_path, "\ufeff" + FILE, *PERIOD) == run(tmp_path, FILE, *PERIOD)


@pytest.mark.parametrize("text", ["", "\n\n", "\ufeff"])
def test_a_file_without_events_is_called_so(tmp_path: Path, text: str) -> None:
    code, out, _ = run(tmp_path, text, *PERIOD)
    assert code == 0
    assert "events.jsonl holds no event" in out


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ('{"time":1750002470,"nod', "2: this is no event of a node: Input data was truncated"),
        ('{"time":1750002470,"node":7,"event":"NodeStored"}', "2: this is no event of a node: Invalid value"),
        ('{"time":1749999999,"node":7,"event":"NodeUptimeReported","uptime":1}', "2: the event of node 7 at"),
    ],
)
def test_a_bad_line_is_named_with_its_reason(tmp_path: Path, line: str, reason: str) -> None:
    good = '{"time":1750000000,"node":7,"event":"NodeUptimeReported","uptime":1}\n'
    code, out, err = run(tmp_path, good + line, *PERIOD)
    assert (code, out) == (2, "")
    assert f"events.jsonl:{reason}" in err


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (("--start", "1750000000"), "--end"),
        (("--start", "1750000000", "--end", "1750000000"), "--end must be later than --start"),
        (("--start", "0", "--end", "99999999999999"), "--end"),
        (("--start", "soon", "--end", "1750000000"), "'soon' is no whole number from 0 to 4294967295"),
    ],
)
def test_a_period_that_is_none_is_refused(tmp_path: Path, arguments: tuple[str, ...], reason: str) -> None:
    code, _, err = run(tmp_path, FILE, *arguments)
    assert code == 2
    assert reason in err


def test_a_file_that_is_not_there_and_a_node_that_is_not_in_it_are_named(tmp_path: Path) -> None:
    missing = str(tmp_path / "none.jsonl")
    done = CliRunner().invoke(main, ["farm", "minting", "--events", missing, *PERIOD])
    assert (done.exit_code, "none.jsonl can't be read: No such file" in done.stderr) == (2, True)
    code, _, err = run(tmp_path, FILE, *PERIOD, "--explain", "8")
    assert (code, "no event of node 8" in err) == (2, True)


def test_an_empty_file_is_an_empty_month(tmp_path: Path) -> None:
    assert run(tmp_path, "", *PERIOD, "--json") == (0, "", "")
