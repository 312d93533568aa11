"""What a report is made of, and where it goes; how it looks is tested in a browser (test_report.py)."""

from __future__ import annotations

import json
import os
import re
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from app.entrypoints.powerd.cli import main
from app.entrypoints.simulator.plan.plan import NodePlan
from app.entrypoints.simulator.report.data import packed, report_data
from app.entrypoints.simulator.report.page import ReportNotWritten, check_place, embedded, report_page_of, write_report
from app.entrypoints.simulator.run.run import run
from app.entrypoints.simulator.run.times import Times
from app.entrypoints.simulator.watching.tally import MARKS
from app.entrypoints.simulator.watching.violation import Violation
from tests.simulation.farms import scripted
from tests.simulation.reported import HOSTILE, eventful, large, quiet

ROOT = Path(__file__).resolve().parents[2]
DATA = re.compile(r'<script type="application/json" id="data">(.*?)</script>', re.DOTALL)


def data_of(page: str) -> Any:
    found = DATA.search(page)
    assert found is not None
    return json.loads(found[1])


def test_hostile_text_does_not_end_the_script_that_holds_it() -> None:
    page = report_page_of(eventful())
    assert "</script><script>document" not in page
    assert data_of(page)["violations"][0][3] == HOSTILE
    assert page.count("<script") == page.count("</script>") == 2


def test_what_looks_like_a_hole_of_the_template_is_left_alone() -> None:
    outcome = quiet()
    outcome.violations = [Violation(promise=next(iter(outcome.promises)), at_s=1.0, node=1, detail="{{style}}")]
    assert data_of(report_page_of(outcome))["violations"][0][3] == "{{style}}"


def test_text_that_no_encoding_knows_is_made_visible() -> None:
    outcome = quiet()
    outcome.violations = [Violation(promise=next(iter(outcome.promises)), at_s=1.0, node=1, detail="file \udcff")]
    assert data_of(report_page_of(outcome))["violations"][0][3] == "file \\udcff"


def test_embedded_json_means_the_same() -> None:
    assert json.loads(embedded(b'{"a": "<b>"}')) == {"a": "<b>"}
    assert "<" not in embedded(b'{"a": "<b>"}')


def test_a_packed_timeline_can_be_read_again() -> None:
    timeline = [0, 1, 0, 2, 1806, 6, 1830, 8]
    at_s, read = 0, []
    for pack in packed(timeline):
        at_s += pack // len(MARKS)
        read += [at_s, pack % len(MARKS)]
    assert read == timeline


def test_a_node_that_begins_dark_says_so_from_the_start() -> None:
    farm = (NodePlan(id=1), NodePlan(id=2, asleep=True, target="Down"))
    data = report_data(run(scripted(farm=farm)))
    assert [MARKS[pack] for pack in data.timelines[1][:3]] == ["off", "state Down", "target Down"]


def test_the_bars_count_every_wake() -> None:
    outcome = eventful()
    data = report_data(outcome)
    packets, wakes = data.distributions
    assert sum(packets.counts) + packets.longer == len(outcome.packet_latencies_s)
    assert sum(wakes.counts) + wakes.longer == len(outcome.wake_latencies_s) > 0
    fullest = max(range(len(wakes.counts)), key=wakes.counts.__getitem__)
    assert fullest * wakes.step_s <= outcome.wake_latencies_s.counts[0][0] < (fullest + 1) * wakes.step_s


@pytest.mark.parametrize(
    ("times_s", "step_s", "bars", "longer"),
    [
        ({0.0: 5}, 0.1, 10, 0),
        ({95.0: 50, 110.0: 50}, 5.0, 23, 0),
        ({95.0: 500, 240.0: 2}, 5.0, 49, 0),
        ({95.0: 500, 7200.0: 2}, 5.0, 20, 2),
        ({95.0: 50, 200_000.0: 50}, 7200.0, 28, 0),
        ({10_000_000.0: 50}, 345_600.0, 29, 0),
    ],
)
def test_all_bars_have_the_same_width_and_rare_long_times_share_the_last(
    times_s: dict[float, int], step_s: float, bars: int, longer: int
) -> None:
    outcome = eventful()
    outcome.wake_latencies_s = Times(sorted(times_s.items()))
    _, wakes = report_data(outcome).distributions
    assert (wakes.step_s, len(wakes.counts), wakes.longer) == (step_s, bars, longer)
    assert sum(wakes.counts) + wakes.longer == sum(times_s.values())


def test_ten_thousand_nodes_fit_on_a_page_of_less_than_five_megabytes() -> None:
    page = report_page_of(large())
    assert len(page) < 5_000_000


def test_every_file_of_the_page_is_packaged() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    patterns = project["tool"]["setuptools"]["package-data"]["*"]
    others = [path for path in ROOT.glob("app/**/*.*") if path.suffix not in (".py", ".pyc")]
    assert {path.suffix for path in others} >= {".html", ".css", ".js"}
    assert [path for path in others if not any(path.match(pattern) for pattern in patterns)] == []


@pytest.mark.parametrize("place", ["missing/out.html", ".", "file/out.html"])
def test_a_place_where_nothing_can_be_written_is_refused_before_the_run(tmp_path: Path, place: str) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(ReportNotWritten, match="give --report a file in a directory that exists"):
        check_place(tmp_path / place)


@pytest.fixture
def unprivileged() -> Iterator[None]:
    """Root can write everywhere, so run as another user for a while."""
    user = os.geteuid()
    if user == 0:
        os.seteuid(65534)
    yield
    os.seteuid(user)


@pytest.mark.usefixtures("unprivileged")
def test_a_directory_one_may_not_write_to_is_refused() -> None:
    with pytest.raises(ReportNotWritten, match="permission denied"):
        check_place(Path("/out.html"))


def test_a_directory_one_may_not_even_look_into_is_refused(tmp_path: Path, request: pytest.FixtureRequest) -> None:
    closed = tmp_path / "closed"
    closed.mkdir(0o000)
    request.getfixturevalue("unprivileged")
    with pytest.raises(ReportNotWritten, match=r"[Pp]ermission denied"):
        check_place(closed / "out.html")


def test_a_full_disk_is_named() -> None:
    with pytest.raises(ReportNotWritten, match="No space left on device"):
        write_report(quiet(), Path("/dev/full"))


SMALL = ["simulate", "--nodes", "2", "--farms", "1", "--hours", "1", "--policy", "always-on"]


def test_the_command_line_writes_the_page_and_says_where(tmp_path: Path) -> None:
    file = tmp_path / "out.html"
    result = CliRunner().invoke(main, [*SMALL, "--report", str(file)])
    assert result.exit_code == 0
    assert f"The page is {file}" in result.output
    assert data_of(file.read_text())["nodes"] == 2


def test_the_command_line_names_a_place_that_is_not_there(tmp_path: Path) -> None:
    result = CliRunner().invoke(main, [*SMALL, "--report", str(tmp_path / "missing" / "out.html")])
    assert result.exit_code == 2
    assert "there is no directory" in result.stderr
    assert "energy" not in result.output


def test_figures_are_printed_even_if_the_page_can_not_be_written() -> None:
    result = CliRunner().invoke(main, [*SMALL, "--report", "/dev/full"])
    assert result.exit_code == 2
    assert "energy" in result.output
    assert "No space left on device" in result.stderr
