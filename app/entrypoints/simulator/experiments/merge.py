"""Puts the files of a sweep's shards together: the same results as in one run; the files are left as they are."""

from __future__ import annotations

import shlex
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import msgspec

from app.entrypoints.simulator.experiments.grid import Point, points_of, written
from app.entrypoints.simulator.experiments.shards import Shard, shard_of
from app.entrypoints.simulator.experiments.sweep import Sweep, Swept, key_of
from app.entrypoints.simulator.experiments.sweep_file import Header, Run, is_of_a_sweep
from app.entrypoints.simulator.input.planning import WorldRequest
from app.entrypoints.simulator.plan.bad_input import BadInput
from app.entrypoints.simulator.workers.work import code_digest

WRITTEN = "the files that --shard K/N --out FILE wrote"


@dataclass(frozen=True, slots=True)
class ShardFile:
    """One file, read to its end; a line that can't be read counts as missing."""

    path: Path
    header: Header
    shard: Shard
    runs: Sequence[Run]


def merged(paths: Sequence[Path], request_of: Callable[[str], WorldRequest]) -> Swept:
    """The results of all; ``request_of`` reads the command line that a header has.

    Raises `BadInput` with the file that does not fit, or the shard or run that is missing.
    """
    files = [_read(path) for path in paths]
    first = files[0]
    for file in files:
        _check_same_sweep(first, file)
    _check_all_there(files)
    header = first.header
    request = request_of(header.command)
    sweep = Sweep(request, header.grid, header.seeds, points_of(request, header.grid), header)
    swept = Swept(sweep)
    for file in files:
        own = {key_of(point.values, seed) for point, seed in _wanted(file, sweep)}
        for run in file.runs:
            if (key := key_of(run.values, run.seed)) not in own:
                raise BadInput.at(
                    file.path,
                    0,
                    f"has the run of seed {run.seed}, which is none of shard {file.shard}; take that line out",
                )
            swept.results[key] = run.result
    for file in files:
        _check_complete(file, swept)
    return swept


def _read(path: Path) -> ShardFile:
    try:
        lines = path.read_bytes().splitlines()
    except OSError as error:
        raise BadInput.at(path, 0, f"can't be read: {error.strerror}; give {WRITTEN}") from error
    try:
        header = msgspec.json.decode(lines[0] if lines else b"", type=Header)
    except msgspec.MsgspecError:
        what = (
            "its header is torn, or of another version of powerd; run this shard again with another --out"
            if lines and is_of_a_sweep(lines[0])
            else f"is not the file of a sweep; give {WRITTEN}"
        )
        raise BadInput.at(path, 1, what) from None
    if not header.shard:
        raise BadInput.at(path, 1, f"is a whole sweep, not a shard of one: {header.command}; leave it out")
    if header.code != code_digest():
        raise BadInput.at(
            path, 1, "was written by another version of powerd, whose figures differ; run all shards with this one"
        )
    runs = []
    for line in lines[1:]:
        try:
            runs.append(msgspec.json.decode(line, type=Run))
        except msgspec.MsgspecError:
            continue  # torn, or damaged: its run is missed below, by its name
    return ShardFile(path, header, shard_of(header.shard), runs)


def _check_same_sweep(first: ShardFile, file: ShardFile) -> None:
    one, other = first.header, file.header
    if (one.world, list(one.grid.items())) != (other.world, list(other.grid.items())):
        raise BadInput.at(
            file.path,
            1,
            f"is a shard of another sweep ({_asked(other)}) than {first.path} ({_asked(one)}); "
            "merge each sweep by itself",
        )
    if one.seeds != other.seeds:
        raise BadInput.at(
            file.path,
            1,
            f"is a shard of the seeds {written(other.seeds)}, and {first.path} is one of the seeds "
            f"{written(one.seeds)}; run both with the same --seeds",
        )
    if first.shard.of != file.shard.of:
        raise BadInput.at(
            file.path,
            1,
            f"is shard {file.shard}, and {first.path} is shard {first.shard}: they are cut differently; "
            f"run it again with --shard K/{first.shard.of}",
        )


def _check_all_there(files: Sequence[ShardFile]) -> None:
    by_number: dict[int, ShardFile] = {}
    for file in files:
        if file.shard.number in by_number:
            twin = by_number[file.shard.number]
            if twin.path == file.path:
                raise BadInput.at(file.path, 0, "is given twice; give it once")
            raise BadInput.at(file.path, 1, f"is shard {file.shard}, and so is {twin.path}; leave one of them out")
        by_number[file.shard.number] = file
    of = files[0].shard.of
    if missing := [number for number in range(1, of + 1) if number not in by_number]:
        named = ", ".join(f"{number}/{of}" for number in missing[:5]) + (" …" if len(missing) > 5 else "")
        are = "is" if len(missing) == 1 else "are"
        raise BadInput(
            f"{len(missing):,} of {of:,} shards {are} missing: {named}; give their files too, or run "
            f"{_again(files[0], Shard(missing[0], of))}"
        )


def _wanted(file: ShardFile, sweep: Sweep) -> Sequence[tuple[Point, int]]:
    """The runs of this shard: a point of the grid, and a seed."""
    return [each for place, each in enumerate(sweep.in_order()) if file.shard.has(place)]


def _check_complete(file: ShardFile, swept: Swept) -> None:
    wanted = _wanted(file, swept.sweep)
    lacking = [(point, seed) for point, seed in wanted if key_of(point.values, seed) not in swept.results]
    if lacking:
        point, seed = lacking[0]
        name = f"{point.name} seed {seed}".strip()
        raise BadInput.at(
            file.path,
            0,
            f"lacks {len(lacking):,} of its {len(wanted):,} runs, the first is {name}; "
            f"go on with it: {_again(file, file.shard)}",
        )


def _again(file: ShardFile, shard: Shard) -> str:
    out = shlex.quote(str(file.path)) if shard == file.shard else "FILE"
    return f"{file.header.command} --seeds {written(file.header.seeds)} --shard {shard} --out {out}"


def _asked(header: Header) -> str:
    grids = (f"{key}={';'.join(values)}" for key, values in header.grid.items())
    return " ".join([header.command, *(f"--grid {shlex.quote(grid)}" for grid in grids)])
