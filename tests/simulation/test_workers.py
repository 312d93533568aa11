"""Processes or Dask, and workers that die: the results are the same, and none is lost."""

from __future__ import annotations

import os
import select
import signal
import socket
import subprocess
import sys
import tempfile
import threading
from collections.abc import Generator, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from app.entrypoints.powerd.cli import main
from app.entrypoints.simulator.experiments.result import simulate
from app.entrypoints.simulator.workers import dask_cluster
from app.entrypoints.simulator.workers.dask_cluster import ClusterGone, ClusterUnusable, DaskCluster
from app.entrypoints.simulator.workers.processes import Processes
from app.entrypoints.simulator.workers.work import Done, Failed, Workers
from tests.simulation.work import has_a_bug, kills_its_worker, never_ends, tasks
from tests.slowness import patient

ENDS_WITHIN_S = patient(60)


def expected(*seeds: int) -> dict[int, bytes]:
    return {task.key: simulate(task.plan) for task in tasks(*seeds)}


def answers(workers: Workers, *seeds: int) -> dict[int, bytes]:
    ended = list(workers.each(tasks(*seeds)))
    assert len(ended) == len(seeds)
    return {each.task.key: each.answer for each in ended if isinstance(each, Done)}


@pytest.fixture
def short_directory() -> Iterator[str]:
    """With room in its path for the name of a socket."""
    with tempfile.TemporaryDirectory(prefix="powerd-") as directory:
        yield directory


@pytest.mark.parametrize("workers", [1, 2])
def test_answers_are_the_same_bytes_however_many_workers_there_are(workers: int) -> None:
    assert answers(Processes(simulate, workers), 1, 2, 3) == expected(1, 2, 3)


@pytest.mark.parametrize("workers", [1, 2])
def test_a_killed_worker_loses_nothing(workers: int, tmp_path: Path) -> None:
    work = partial(kills_its_worker, str(tmp_path), 2, 2)
    assert answers(Processes(work, workers), 1, 2, 3, 4) == expected(1, 2, 3, 4)
    assert len(list(tmp_path.iterdir())) == 2


def test_a_run_that_kills_every_worker_is_named_and_the_others_are_done(tmp_path: Path) -> None:
    ended = list(Processes(partial(kills_its_worker, str(tmp_path), 2, 99), 1).each(tasks(1, 2, 3)))
    assert [each.task.name for each in ended if isinstance(each, Failed)] == ["seed 2"]
    assert sorted(each.task.key for each in ended if isinstance(each, Done)) == [1, 3]
    assert len(list(tmp_path.iterdir())) == 3, "the first time, and twice again"


def test_a_run_with_a_bug_is_named_and_the_others_are_done() -> None:
    ended = {each.task.key: each for each in Processes(has_a_bug, 1).each(tasks(1, 2, 3))}
    assert ended[2] == Failed(ended[2].task, "LookupError: no such thing")
    assert isinstance(ended[1], Done)
    assert isinstance(ended[3], Done)


def test_who_wants_no_more_need_not_wait_for_what_runs(tmp_path: Path) -> None:
    ending = Processes(partial(never_ends, str(tmp_path)), 2).each(tasks(1, 2))
    assert isinstance(next(ending), Done)
    assert isinstance(ending, Generator)
    ending.close()


HANGS = """
import sys
from functools import partial
from app.entrypoints.simulator.workers.processes import Processes
from tests.simulation.work import never_ends, tasks
list(Processes(partial(never_ends, sys.argv[1]), 1).each(tasks(2)))
"""


def test_a_killed_master_leaves_no_worker_behind(tmp_path: Path, short_directory: str) -> None:
    os.mkfifo(tmp_path / "pid")  # Opening it waits for the other side.
    # A socket of multiprocessing's stays in its temporary directory.
    environment = {**os.environ, "TMPDIR": short_directory}
    root = Path(__file__).parents[2]
    master = subprocess.Popen([sys.executable, "-c", HANGS, str(tmp_path)], cwd=root, env=environment)
    worker = int((tmp_path / "pid").read_text())
    life = os.pidfd_open(worker)
    try:
        master.send_signal(signal.SIGKILL)
        master.wait()
        assert select.select([life], [], [], ENDS_WITHIN_S)[0], "the worker goes on without its master"
    finally:
        os.close(life)


def test_no_scheduler_at_the_address_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dask_cluster, "CONNECT_S", 0.2)
    with pytest.raises(ClusterUnusable, match=r"no Dask scheduler answers at tcp://127.0.0.1:9 .*; start one"):
        list(DaskCluster(simulate, "tcp://127.0.0.1:9").each(tasks(1)))


def test_a_port_at_which_something_else_answers_is_no_scheduler(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dask_cluster, "CONNECT_S", patient(5))
    with socket.create_server(("127.0.0.1", 0)) as listening:

        def answer() -> None:
            connection, _ = listening.accept()
            connection.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n")
            connection.close()

        threading.Thread(target=answer, daemon=True).start()
        with pytest.raises(ClusterUnusable, match="no Dask scheduler answers"):
            list(DaskCluster(simulate, f"tcp://127.0.0.1:{listening.getsockname()[1]}").each(tasks(1)))


def test_an_address_without_a_port_is_refused() -> None:
    with pytest.raises(ClusterUnusable, match=r"missing port number .* correct --scheduler tcp://HOST:PORT"):
        list(DaskCluster(simulate, "127.0.0.1").each(tasks(1)))


@pytest.mark.parametrize("tool", [("--hours", "1", "--nodes", "3"), ("explore",), ("sweep",)])
def test_every_tool_that_finds_no_scheduler_ends_with_2(monkeypatch: pytest.MonkeyPatch, tool: tuple[str, ...]) -> None:
    monkeypatch.setattr(dask_cluster, "CONNECT_S", 0.2)
    ended = CliRunner().invoke(main, ["simulate", *tool, "--scheduler", "tcp://127.0.0.1:9"])
    assert ended.exit_code == 2, "1 means that a promise was broken"
    assert "no Dask scheduler answers at tcp://127.0.0.1:9" in ended.output


def test_dask_not_installed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "distributed", None)
    with pytest.raises(ClusterUnusable, match=r"pip install 'powerd\[sweep\]'"):
        list(DaskCluster(simulate, "tcp://127.0.0.1:9").each(tasks(1)))


@pytest.fixture(scope="module")
def dask() -> Iterator[str]:
    """A Dask cluster of two workers, each a process."""
    from distributed import LocalCluster

    with LocalCluster(
        n_workers=2, threads_per_worker=1, processes=True, host="127.0.0.1", dashboard_address=":0", silence_logs=50
    ) as cluster:
        yield cluster.scheduler_address


def test_a_dask_cluster_gives_the_same_bytes_and_survives_a_killed_worker(dask: str, tmp_path: Path) -> None:
    work = partial(kills_its_worker, str(tmp_path), 2, 1)
    assert answers(DaskCluster(work, dask), 1, 2, 3, 4) == expected(1, 2, 3, 4)
    assert len(list(tmp_path.iterdir())) == 1


def test_a_dask_worker_with_another_version_is_refused(dask: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dask_cluster, "code_digest", lambda: "of yesterday")
    with pytest.raises(ClusterUnusable, match="another version"):
        list(DaskCluster(simulate, dask).each(tasks(1)))


def test_a_run_with_a_bug_is_named_by_a_dask_cluster_as_well(dask: str) -> None:
    ended = {each.task.key: each for each in DaskCluster(has_a_bug, dask).each(tasks(1, 2))}
    assert ended[2] == Failed(ended[2].task, "LookupError: no such thing")
    assert isinstance(ended[1], Done)


def test_a_scheduler_that_is_lost_in_the_middle_is_said_and_not_waited_for(tmp_path: Path) -> None:
    from distributed import LocalCluster

    with LocalCluster(
        n_workers=1, threads_per_worker=1, processes=False, dashboard_address=":0", silence_logs=50
    ) as cluster:
        ending = DaskCluster(simulate, cluster.scheduler_address).each(tasks(*range(100)))
        assert isinstance(next(ending), Done)
        cluster.close()
        with pytest.raises(ClusterGone, match="with --out the finished runs are kept"):
            list(ending)


def test_a_sweep_whose_scheduler_is_lost_ends_with_2_and_goes_on_from_what_it_kept(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    from distributed import LocalCluster

    results = tmp_path / "results.jsonl"
    sweep = [
        "simulate",
        "sweep",
        "--nodes",
        "3",
        "--farms",
        "1",
        "--hours",
        "1",
        "--seeds",
        "1-4",
        "--out",
        str(results),
    ]
    ended_run = dask_cluster._ended
    with LocalCluster(
        n_workers=1, threads_per_worker=1, processes=False, dashboard_address=":0", silence_logs=50
    ) as cluster:

        def and_then_it_is_lost(*run: Any) -> Done | Failed:
            done = ended_run(*run)
            cluster.close()
            return done

        monkeypatch.setattr(dask_cluster, "_ended", and_then_it_is_lost)
        lost = CliRunner().invoke(main, [*sweep, "--scheduler", cluster.scheduler_address])
    assert lost.exit_code == 2, lost.output
    assert "the same command goes on from there" in lost.output
    kept = results.read_text().splitlines()
    assert kept
    again = CliRunner().invoke(main, [*sweep, "--workers", "1"])
    assert again.exit_code == 0, again.output
    assert results.read_text().splitlines()[: len(kept)] == kept


def test_a_cluster_whose_last_worker_dies_is_not_waited_for_for_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    from distributed import LocalCluster

    monkeypatch.setattr(dask_cluster, "LOOK_AGAIN_S", 0.1)
    monkeypatch.setattr(dask_cluster, "WORKERS_GONE_S", 0.3)
    with LocalCluster(
        n_workers=1, threads_per_worker=1, processes=False, dashboard_address=":0", silence_logs=50
    ) as cluster:
        ending = DaskCluster(simulate, cluster.scheduler_address).each(tasks(*range(100)))
        assert isinstance(next(ending), Done)
        cluster.scale(0)
        with pytest.raises(ClusterGone, match="has had no workers for"):
            list(ending)
