"""Holds as files: what is no hold is doubt, and is named with its remedy."""

from __future__ import annotations

import errno
import os
import stat
from pathlib import Path

import pytest

from app.adapters.files.holds import BadHolder, FileHolds, HoldNotKept
from app.adapters.linux.clock import SystemClock
from app.adapters.linux.host_facts import LinuxHostFacts
from app.domain.errors import HoldsUnreadable
from app.domain.model import Hold

FACTS = LinuxHostFacts(Path("/nowhere"))

pytestmark = pytest.mark.anyio

GOOD = Hold("operator", "copies disks", None)


@pytest.fixture
def holds(tmp_path: Path) -> FileHolds:
    return FileHolds(tmp_path, SystemClock(), FACTS)


@pytest.mark.parametrize(
    "content",
    [
        "",
        "{",
        "[]",
        "{}",
        "null",
        '{"expires_at_s": null}',
        b"\xff\xfe",
        '{"reason": ' + "[" * 100_000 + "]" * 100_000 + "}",
        "[" * 100_000,
        *(
            f'{{"reason": "r", "expires_at_s": {time}}}'
            for time in ("NaN", "Infinity", "-Infinity", "1e999", "1" + "0" * 400, "9" * 5000)
        ),
        *(f'{{"reason": "r", "expires_at_s": {time}}}' for time in ('"soon"', '"1800000000"', "true", "[]", "{}")),
    ],
    ids=lambda content: repr(content[:40]),
)
async def test_a_file_that_is_no_hold_is_doubt_and_is_named(
    holds: FileHolds, tmp_path: Path, content: str | bytes
) -> None:
    holds.place(GOOD)
    (tmp_path / "torn.json").write_bytes(content if isinstance(content, bytes) else content.encode())
    with pytest.raises(HoldsUnreadable, match=r"torn\.json is no hold .*; fix or remove it"):
        await holds.active()
    known, unreadable = holds.all()
    assert (list(known), len(unreadable)) == ([GOOD], 1)


def test_what_root_places_under_any_umask_the_daemons_user_can_read(tmp_path: Path) -> None:
    directory = tmp_path / "run" / "powerd" / "holds"
    before = os.umask(0o077)
    try:
        FileHolds(directory, SystemClock(), FACTS).place(GOOD)
    finally:
        os.umask(before)
    for each in (directory.parents[1], directory.parent, directory):
        assert stat.S_IMODE(each.stat().st_mode) == 0o755
    assert [stat.S_IMODE(each.stat().st_mode) for each in directory.iterdir()] == [0o644]


async def test_a_hold_written_by_hand_needs_no_more_than_a_reason(holds: FileHolds, tmp_path: Path) -> None:
    (tmp_path / "hand.json").write_text('{"reason": "a new disk", "who": "me"}')
    assert list(await holds.active()) == [Hold("hand", "a new disk", None)]


async def test_other_files_are_no_holds(holds: FileHolds, tmp_path: Path) -> None:
    (tmp_path / "operator.json.7.new").write_text("{")
    (tmp_path / "README").write_text("")
    assert list(await holds.active()) == []


async def test_without_the_directory_there_are_none(tmp_path: Path) -> None:
    assert list(await FileHolds(tmp_path / "nowhere", SystemClock(), FACTS).active()) == []


async def test_a_directory_that_is_none_is_doubt(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(HoldsUnreadable, match="file: Not a directory; fix or remove it"):
        await FileHolds(tmp_path / "file", SystemClock(), FACTS).active()


async def test_a_link_to_nowhere_is_doubt(holds: FileHolds, tmp_path: Path) -> None:
    (tmp_path / "link.json").symlink_to(tmp_path / "nowhere")
    with pytest.raises(HoldsUnreadable, match=r"link\.json"):
        await holds.active()


async def test_a_directory_in_the_place_of_a_file_is_doubt(holds: FileHolds, tmp_path: Path) -> None:
    (tmp_path / "folder.json").mkdir()
    with pytest.raises(HoldsUnreadable, match=r"folder\.json: Is a directory"):
        await holds.active()


@pytest.mark.parametrize("holder", ["", "../etc/passwd", ".hidden", "a/b", "a b", "a\nb", "a\0b", "ä", "x" * 101])
def test_a_holder_that_cannot_be_a_file_is_refused(holds: FileHolds, tmp_path: Path, holder: str) -> None:
    with pytest.raises(BadHolder, match="can't name a hold"):
        holds.place(Hold(holder, "", None))
    with pytest.raises(BadHolder, match="can't name a hold"):
        holds.lift(holder)
    assert list(tmp_path.iterdir()) == []


def test_lifting_returns_whether_there_was_one(holds: FileHolds, tmp_path: Path) -> None:
    holds.place(GOOD)
    assert holds.lift("operator")
    assert not holds.lift("operator")
    assert list(tmp_path.iterdir()) == []


def test_a_place_that_can_not_be_written_is_named_with_the_remedy(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(HoldNotKept, match=r"the hold of operator is not placed: .*file: .*\(holds\.dir\)"):
        FileHolds(tmp_path / "file", SystemClock(), FACTS).place(GOOD)


def test_without_the_right_to_write_the_remedy_is_root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(self: Path, *_: object, **__: object) -> None:
        raise PermissionError(errno.EACCES, "Permission denied", str(self))

    monkeypatch.setattr(Path, "write_text", refuse)
    with pytest.raises(HoldNotKept, match="Permission denied; run this as root"):
        FileHolds(tmp_path, SystemClock(), FACTS).place(GOOD)
