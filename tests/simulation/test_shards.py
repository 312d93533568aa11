"""A sweep in shards, each run by itself, and put together: the results are those of one run."""

from __future__ import annotations

import shlex
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from app.entrypoints.powerd.cli import main
from app.entrypoints.simulator.experiments import merge, sweep_file
from app.entrypoints.simulator.experiments.grid import seeds_of, written

WORLD = ("--nodes", "2", "--farms", "1", "--hours", "1", "--faults", "storm", "--set", "wake.packets=4")
ASKED = (*WORLD, "--seeds", "1-3", "--grid", "load=0,0.3")


def sweep(*arguments: str) -> Result:
    return CliRunner().invoke(main, ["simulate", "sweep", *arguments], prog_name="powerd")


def shard(number: int, of: int, folder: Path, *asked: str) -> Path:
    file = folder / f"{number}-of-{of}.jsonl"
    result = sweep(*(asked or ASKED), "--workers", "1", "--shard", f"{number}/{of}", "--out", str(file))
    assert result.exit_code == 0, result.output
    assert f"This is shard {number}/{of} only" in result.stdout
    return file


@pytest.fixture(scope="module")
def shards(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    folder = tmp_path_factory.mktemp("shards")
    return [shard(number, 3, folder) for number in (1, 2, 3)]


def test_shards_put_together_are_the_same_as_one_run(shards: list[Path]) -> None:
    before = [file.read_bytes() for file in shards]
    whole = sweep(*ASKED, "--workers", "1", "--json")
    together = sweep("merge", *map(str, reversed(shards)), "--json")
    assert together.exit_code == 0, together.output
    assert together.stdout == whole.stdout
    assert [file.read_bytes() for file in shards] == before
    table = sweep("merge", *map(str, shards)).stdout
    assert "Every promise was kept in all 6 runs." in table
    assert [len(file.read_text().splitlines()) for file in shards] == [3, 3, 3], "a header, and two runs each"


def test_a_shard_goes_on_where_it_stopped(tmp_path: Path) -> None:
    file = shard(1, 3, tmp_path)
    lines = file.read_text().splitlines(keepends=True)
    file.write_text("".join(lines[:2]) + lines[2][:40])
    lacks = sweep("merge", str(file), *[str(shard(number, 3, tmp_path)) for number in (2, 3)])
    assert lacks.exit_code == 2
    assert f"{file}: lacks 1 of its 2 runs, the first is load=0.3 seed 1; go on with it: powerd" in lacks.stderr
    again = lacks.stderr.partition("go on with it: powerd simulate sweep ")[2]
    assert sweep(*shlex.split(again), "--workers", "1").exit_code == 0
    assert file.read_text() == "".join(lines)


def refused(*files: Path) -> str:
    result = sweep("merge", *map(str, files))
    assert result.exit_code == 2, result.output
    assert "Traceback" not in result.stderr
    return result.stderr


def test_a_shard_without_its_siblings_is_refused_by_name(shards: list[Path]) -> None:
    said = refused(shards[0], shards[2])
    assert "1 of 3 shards is missing: 2/3; give their files too, or run powerd simulate sweep" in said
    assert "--shard 2/3 --out FILE" in said


def test_the_same_shard_twice_is_refused_by_name(shards: list[Path], tmp_path: Path) -> None:
    copy = tmp_path / "copy.jsonl"
    copy.write_bytes(shards[1].read_bytes())
    assert f"{copy}:1: is shard 2/3, and so is {shards[1]}; leave one of them out" in refused(*shards, copy)


def test_shards_of_another_sweep_or_cut_are_refused_by_name(shards: list[Path], tmp_path: Path) -> None:
    other = shard(2, 3, tmp_path, *WORLD, "--seeds", "1-3", "--grid", "load=0,0.5")
    assert f"{other}:1: is a shard of another sweep" in refused(shards[0], other, shards[2])
    half = shard(1, 2, tmp_path)
    assert f"{half}:1: is shard 1/2, and {shards[0]} is shard 1/3: they are cut differently" in refused(shards[0], half)


def test_other_files_are_refused_by_name(shards: list[Path], tmp_path: Path) -> None:
    whole, letter = tmp_path / "whole.jsonl", tmp_path / "letter.txt"
    assert sweep(*ASKED, "--workers", "1", "--out", str(whole)).exit_code == 0
    letter.write_text("Dear Sir or Madam\n")
    assert f"{whole}:1: is a whole sweep, not a shard of one" in refused(whole)
    assert f"{letter}:1: is not the file of a sweep" in refused(*shards, letter)
    assert f"{tmp_path / 'none'}: can't be read: No such file" in refused(tmp_path / "none")


def test_a_header_of_another_version_is_not_changed(shards: list[Path], tmp_path: Path) -> None:
    old = tmp_path / "old.jsonl"
    content = shards[1].read_bytes().replace(b'"powerd_sweep":1', b'"powerd_sweep":0')
    old.write_bytes(content)
    assert f"{old}:1: its header is torn, or of another version of powerd; run this shard again" in refused(old)
    result = sweep(*ASKED, "--workers", "1", "--shard", "2/3", "--out", str(old))
    assert result.exit_code == 2
    assert f"{old}:1: has a header of another version of powerd, and is not changed; give another" in result.stderr
    assert old.read_bytes() == content


def test_a_file_that_is_given_twice_is_named(shards: list[Path]) -> None:
    assert f"{shards[1]}: is given twice; give it once" in refused(*shards, shards[1])


def test_shards_of_other_seeds_are_refused_with_both(shards: list[Path], tmp_path: Path) -> None:
    other = shard(2, 3, tmp_path, *WORLD, "--seeds", "1-4", "--grid", "load=0,0.3")
    assert f"{other}:1: is a shard of the seeds 1-4, and {shards[0]} is one of the seeds 1-3; run both" in refused(
        shards[0], other
    )


@pytest.mark.parametrize("text", ["1-1000", "3,7,20-29", "5,4,3", "1"])
def test_seeds_are_written_as_they_are_read(text: str) -> None:
    assert written(seeds_of(text)) == text


def test_results_of_another_version_are_refused(shards: list[Path], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(merge, "code_digest", lambda: "of tomorrow")
    assert f"{shards[0]}:1: was written by another version of powerd" in refused(*shards)


def test_a_shards_file_is_that_shards_alone(shards: list[Path]) -> None:
    for more in (("--shard", "2/3"), ()):
        result = sweep(*ASKED, "--workers", "1", *more, "--out", str(shards[0]))
        assert result.exit_code == 2
        assert f"{shards[0]}:1: holds shard 1/3" in result.stderr
    other_seeds = (*WORLD, "--seeds", "1-4", "--grid", "load=0,0.3")
    result = sweep(*other_seeds, "--workers", "1", "--shard", "1/3", "--out", str(shards[0]))
    assert "holds shard 1/3 of other seeds" in result.stderr


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("--shard", "3"), "--shard needs --out FILE"),
        (("--shard", "3", "--out", "x"), "--shard '3' is not a part of a sweep; write K/N, such as 3/8"),
        (("--shard", "0/4", "--out", "x"), "--shard '0/4': shards are numbered from 1 to N"),
        (("--shard", "5/4", "--out", "x"), "--shard '5/4': shards are numbered from 1 to N"),
    ],
)
def test_a_shard_that_is_none_is_refused(options: tuple[str, ...], said: str) -> None:
    result = sweep(*options)
    assert result.exit_code == 2
    assert said in result.stderr


def test_a_whole_sweeps_file_is_written_as_before(shards: list[Path], tmp_path: Path) -> None:
    whole = tmp_path / "whole.jsonl"
    assert sweep(*ASKED, "--workers", "1", "--out", str(whole)).exit_code == 0
    assert b"shard" not in whole.read_bytes().splitlines()[0]
    assert sweep_file.FORMAT == 1
