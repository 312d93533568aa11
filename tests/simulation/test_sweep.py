"""``powerd simulate sweep``: every combination, a file that a later sweep continues, a summary."""

from __future__ import annotations

import fcntl
import resource
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import click.testing
import msgspec
import pytest

from app.entrypoints.powerd.cli import main
from app.entrypoints.simulator.experiments.grid import grid_of, seeds_of
from app.entrypoints.simulator.experiments.result import simulate, spread_of
from app.entrypoints.simulator.experiments.show import show_swept
from app.entrypoints.simulator.experiments.sweep import Swept, run_sweep, sweep_of
from app.entrypoints.simulator.experiments.sweep_file import Run
from app.entrypoints.simulator.experiments.sweep_table import ending, summary_of, table
from app.entrypoints.simulator.input.planning import WorldRequest
from app.entrypoints.simulator.plan.bad_input import BadInput
from app.entrypoints.simulator.run.times import Times
from app.entrypoints.simulator.workers.processes import Processes
from app.entrypoints.simulator.workers.work import Done, Failed, Task, Work
from tests.simulation.work import has_a_bug, kills_its_worker

SMALL = WorldRequest(nodes=4, farms=1, hours=3, faults="many")


class Here:
    """Workers in this very process; it remembers what it was asked for."""

    def __init__(self, work: Work = simulate) -> None:
        self._work = work
        self.ran: list[str] = []

    def each(self, tasks: Iterator[Task]) -> Iterator[Done | Failed]:
        for task in tasks:
            self.ran.append(task.name)
            yield Done(task, self._work(task.plan))


def swept(
    out: Path | None = None, *grid: str, seeds: str = "1-3", request: WorldRequest = SMALL
) -> tuple[Swept, list[str], list[str]]:
    """The result, what ran, and what was said."""
    said: list[str] = []
    here = Here()
    result = run_sweep(sweep_of(request, grid_of(grid), seeds_of(seeds)), here, out=out, say=said.append)
    return result, here.ran, said


def test_every_combination_is_run_with_every_seed() -> None:
    result, ran, _ = swept(None, "load=0,0.3", "set:wake.packets=3,10", seeds="1,2")
    assert ran == [
        f"load={load} set:wake.packets={packets} seed {seed}"
        for load in ("0", "0.3")
        for packets in (3, 10)
        for seed in (1, 2)
    ]
    assert len(result.results) == 8


def test_a_bots_parameters_are_no_matter_to_another_policy() -> None:
    sweep = sweep_of(SMALL, grid_of(["policy=bot,always-on", "bot:awake_min=1,2"]), [1])
    assert [point.request.policy for point in sweep.points] == [
        "bot,awake_min=1",
        "bot,awake_min=2",
        "always-on",
        "always-on",
    ]


def test_values_with_commas_are_parted_by_semicolons() -> None:
    assert grid_of(["policy=bot;bot,awake_min=2"]) == {"policy": ("bot", "bot,awake_min=2")}


def test_summary_and_trace_hashes_are_the_same_whatever_the_workers(tmp_path: Path) -> None:
    sweep = sweep_of(SMALL, grid_of(["load=0.3,0.1"]), [3, 1])
    one = summary_of(run_sweep(sweep, Processes(partial(kills_its_worker, str(tmp_path), 3, 1), 2)))
    other = summary_of(run_sweep(sweep, Here()))
    assert msgspec.json.encode(one) == msgspec.json.encode(other)
    assert [(run.values["load"], run.seed) for run in other.runs] == [("0.3", 3), ("0.3", 1), ("0.1", 3), ("0.1", 1)]


# -- the file --------------------------------------------------------------------------------------


def test_a_sweep_that_was_stopped_runs_only_what_is_missing(tmp_path: Path) -> None:
    out = tmp_path / "sweep.jsonl"
    whole, _, _ = swept(out)
    lines = out.read_bytes().splitlines(keepends=True)
    out.write_bytes(b"".join([lines[0], lines[2]]))
    again, ran, said = swept(out)
    assert ran == ["seed 1", "seed 3"]
    assert said == [f"{out}: 1 runs are done already"]
    assert summary_of(again) == summary_of(whole)
    assert sorted(out.read_bytes().splitlines(keepends=True)) == sorted(lines)


def test_more_seeds_may_be_asked_for_later(tmp_path: Path) -> None:
    swept(tmp_path / "sweep.jsonl", seeds="1-2")
    _, ran, _ = swept(tmp_path / "sweep.jsonl", seeds="2-4")
    assert ran == ["seed 3", "seed 4"]


@pytest.mark.parametrize("kept", [10, -10, -1])
def test_a_torn_last_line_is_said_and_its_run_is_done_again(tmp_path: Path, kept: int) -> None:
    out = tmp_path / "sweep.jsonl"
    whole, _, _ = swept(out)
    lines = out.read_bytes().splitlines(keepends=True)
    out.write_bytes(b"".join(lines[:-1]) + lines[-1][:kept])
    again, ran, said = swept(out)
    assert ran == ["seed 3"]
    assert said[0] == f"{out}:4: the last line is torn, and is cut off; its run is done again"
    assert summary_of(again) == summary_of(whole)
    assert out.read_bytes().splitlines(keepends=True) == lines


def test_a_file_whose_header_is_torn_is_begun_again(tmp_path: Path) -> None:
    out = tmp_path / "sweep.jsonl"
    swept(out)
    lines = out.read_bytes()
    out.write_bytes(lines[:40])
    assert swept(out)[1] == ["seed 1", "seed 2", "seed 3"]
    assert out.read_bytes() == lines


def test_a_line_that_is_no_run_is_said_and_its_run_is_done_again(tmp_path: Path) -> None:
    out = tmp_path / "sweep.jsonl"
    swept(out)
    lines = out.read_bytes().splitlines(keepends=True)
    out.write_bytes(b"".join([*lines[:2], b"\x00\x00\n", lines[3]]))
    _, ran, said = swept(out)
    assert ran == ["seed 2"]
    assert said[0].startswith(f"{out}:3: is not a run")


def test_the_file_of_another_sweep_is_refused_and_left_alone(tmp_path: Path) -> None:
    out = tmp_path / "sweep.jsonl"
    swept(out)
    before = out.read_bytes()
    with pytest.raises(BadInput, match=r"is the file of another sweep: powerd simulate sweep --nodes 4 .*other --out"):
        swept(out, "load=0.1,0.2")
    assert out.read_bytes() == before


def test_a_file_that_is_no_sweeps_is_refused_and_left_alone(tmp_path: Path) -> None:
    for content in (b"my thesis, the only copy", b"at_s,node\n1,2\n"):
        (tmp_path / "thesis").write_bytes(content)
        with pytest.raises(BadInput, match="is not the file of a sweep, and is not changed"):
            swept(tmp_path / "thesis")
        assert (tmp_path / "thesis").read_bytes() == content


def test_a_file_of_another_version_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    swept(tmp_path / "sweep.jsonl")
    monkeypatch.setattr("app.entrypoints.simulator.experiments.sweep.code_digest", lambda: "of tomorrow")
    with pytest.raises(BadInput, match="another version of powerd"):
        swept(tmp_path / "sweep.jsonl")


def test_two_sweeps_do_not_write_one_file(tmp_path: Path) -> None:
    with (tmp_path / "sweep.jsonl").open("ab") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        with pytest.raises(BadInput, match="another sweep is writing it"):
            swept(tmp_path / "sweep.jsonl")


def test_a_file_that_can_not_grow_keeps_what_it_holds(tmp_path: Path) -> None:
    out = tmp_path / "sweep.jsonl"
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1000, limits[1]))
    try:
        with pytest.raises(BadInput, match="can't be written: File too large; make room and start again"):
            swept(out)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert out.stat().st_size == 1000
    assert swept(out)[2][0].endswith("the last line is torn, and is cut off; its run is done again")


def test_a_device_is_no_file_of_a_sweep() -> None:
    with pytest.raises(BadInput, match="is not a regular file"):
        swept(Path("/dev/full"))


def test_failed_runs_are_named_and_tried_again_the_next_time(tmp_path: Path) -> None:
    out = tmp_path / "sweep.jsonl"
    sweep = sweep_of(SMALL, {}, [1, 2, 3])
    result = run_sweep(sweep, Processes(has_a_bug, 1), out=out)
    assert list(ending(summary_of(result), result)) == [
        "FAILED: seed 2: LookupError: no such thing",
        "The same command runs them again; with --out FILE it runs only them.",
        "Every promise was kept in all 2 runs that finished.",
    ]
    assert show_swept(result, as_json=False) == 2, "1 would mean that a promise was broken"
    assert swept(out)[1] == ["seed 2"]


def test_where_no_run_finished_no_promise_is_called_kept() -> None:
    result = run_sweep(sweep_of(SMALL, {}, [2]), Processes(has_a_bug, 1))
    assert not any("kept" in line for line in ending(summary_of(result), result))


# -- what is shown ---------------------------------------------------------------------------------


def test_the_table_has_a_line_for_every_point() -> None:
    result, _, _ = swept(None, "policy=always-on,bot", request=WorldRequest(nodes=4, farms=1, hours=3, load=0.0))
    lines = list(table(summary_of(result), result.sweep))
    assert lines[0].split("  ")[1] == "policy"
    assert lines[1].split()[:4] == ["always-on", "3", "0", "0.0%"]
    assert lines[2].split()[:3] == ["bot", "3", "0"]
    assert list(ending(summary_of(result), result)) == ["Every promise was kept in all 6 runs."]


def test_times_of_many_runs_are_merged_as_if_they_were_one() -> None:
    merged = Times.merged([Times([(100.0, 97), (200.0, 1)]), Times([(90.0, 1), (300.0, 1)])])
    assert merged == Times.of([90.0, *[100.0] * 97, 200.0, 300.0])
    spread = spread_of(merged)
    assert (spread.p50, spread.p99, spread.max) == (100.0, 200.0, 300.0)
    assert spread_of(Times()).p50 is None


SLOW_UPTIME = (
    "sweep --nodes 3 --farms 1 --hours 3 --load 0 --seeds 1-2 --workers 1 --grid set:uptime.interval_s=2400,7200"
)


def test_a_broken_promise_is_exit_code_1_and_the_first_is_named_with_its_replay_line() -> None:
    shown = click.testing.CliRunner().invoke(main, ["simulate", *SLOW_UPTIME.split()])
    assert shown.exit_code == 1, shown.output
    assert "2 of 4 runs broke a promise; the first is set:uptime.interval_s=7200 seed 1:" in shown.stdout
    replay = "powerd simulate --nodes 3 --farms 1 --hours 3 --load 0 --set uptime.interval_s=7200 --seed 1"
    assert shown.stdout.splitlines()[-1] == f"Replay: {replay}"
    assert click.testing.CliRunner().invoke(main, replay.split()[1:]).exit_code == 1


def test_as_json(tmp_path: Path) -> None:
    command = "simulate sweep --nodes 3 --farms 1 --hours 2 --seeds 7 --workers 1 --json --out"
    shown = click.testing.CliRunner().invoke(main, [*command.split(), str(tmp_path / "out")])
    assert shown.exit_code == 0, shown.output
    read = msgspec.json.decode(shown.stdout)
    assert [point["runs"] for point in read["points"]] == [1]
    line = (tmp_path / "out").read_bytes().splitlines()[1]
    assert msgspec.convert(read["runs"][0], Run) == msgspec.json.decode(line, type=Run)


BAD = [
    ("--seeds 9-1", "'9-1' ends before it begins; write 1-9"),
    ("--seeds 1-x", "'1-x' is neither a seed nor a range; write 1-100"),
    ("--seeds 0-9999999999", "are too many"),
    ("--grid lod=0.1", "unknown key 'lod' (did you mean load?)"),
    ("--grid seed=1,2", "seeds go by --seeds"),
    ("--grid load", "write KEY=VALUE,VALUE"),
    ("--grid load=0.1,,", "write KEY=VALUE,VALUE"),
    ("--grid load=0.1,2", "--grid load: '2' is no number from 0 to 1"),
    ("--grid load=0.1 --grid load=0.2", "--grid load is given twice"),
    ("--grid policy=bot,alwayson", "unknown policy 'alwayson' (did you mean always-on?)"),
    ("--grid bot:awake=1", "unknown parameter 'awake' (did you mean awake_min?)"),
    ("--grid set:wake.nothing=1", "wake.nothing, which is no setting"),
    ("--grid faults=none,storm:rain", "unknown fault 'rain'"),
    ("--scheduler tcp://127.0.0.1:9 --workers 2", "leave one of them out"),
]


@pytest.mark.parametrize(("options", "said"), BAD)
def test_bad_input_names_the_thing_and_the_remedy_before_anything_runs(options: str, said: str) -> None:
    shown = click.testing.CliRunner().invoke(
        main, ["simulate", "sweep", "--nodes", "3", "--farms", "1", *options.split()]
    )
    assert shown.exit_code in (1, 2)
    assert said in shown.stderr


def test_an_option_before_the_command_is_not_ignored() -> None:
    shown = click.testing.CliRunner().invoke(main, ["simulate", "--nodes", "3", "sweep"])
    assert shown.exit_code == 2
    assert "write --nodes after the command: powerd simulate sweep --nodes" in shown.stderr
