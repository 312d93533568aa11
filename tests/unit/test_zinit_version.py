"""The version texts of zinit: releases, and what `git describe` makes of the commits between them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.adapters.zinit.version import UnreadableVersion, Version, parse_version

RELEASE = Version(0, 2, 9)


@pytest.mark.parametrize(
    ("printed", "version"),
    [
        ("zinit v0.2.11\n", Version(0, 2, 11)),
        ("zinit 0.2.11", Version(0, 2, 11)),
        ("zinit v1.0.0", Version(1, 0, 0)),
        ("zinit v0.2.9-3-gabc", RELEASE),
        ("zinit v0.2.9-14-g0123456789abcdef", RELEASE),
        ("zinit v0.2.9-dirty", RELEASE),
        ("zinit v0.2.9-modified", RELEASE),
        ("zinit v0.2.9-3-gabc-dirty", RELEASE),
        ("zinit v0.2.9+build.7", RELEASE),
        ("zinit v0.2.9-rc1", Version(0, 2, 9, final=False)),
        ("zinit v0.2.9-rc.1-3-gabc", Version(0, 2, 9, final=False)),
        ("zinit v0.2.9-alpha-dirty", Version(0, 2, 9, final=False)),
        ("zinit v0.2.9-3", Version(0, 2, 9, final=False)),
    ],
)
def test_a_version_is_read(printed: str, version: Version) -> None:
    assert parse_version(printed) == version


@pytest.mark.parametrize(
    "printed",
    [
        "",
        "zinit",
        "v0.2.11",
        "zinit 0.2",
        "zinit v0.2.11.1",
        "zinit v0.02.11",
        "zinit v٠.٢.١١",
        "zinit -0.2.11",
        "zinit abcdef0",
        "zinit v0.2.11 v0.2.12",
        "systemd 252",
        "zinit v0.2.9-",
        f"zinit v0.2.{'9' * 5000}",
    ],
)
def test_what_is_no_version_is_refused_by_its_text(printed: str) -> None:
    with pytest.raises(UnreadableVersion) as caught:
        parse_version(printed)
    assert printed.strip()[:20] in str(caught.value)
    assert len(str(caught.value)) < 300


@pytest.mark.parametrize(
    ("lower", "higher"),
    [
        ("v0.2.8", "v0.2.9"),
        ("v0.2.9", "v0.2.10"),
        ("v0.2.9-rc1", "v0.2.9"),
        ("v0.2.9-rc1", "v0.2.9-3-gabc"),
        ("v0.2.8-3-gabc", "v0.2.9-rc1"),
        ("v0.9.9", "v1.0.0-rc1"),
    ],
)
def test_versions_compare_by_number_and_a_pre_release_stands_before_its_release(lower: str, higher: str) -> None:
    assert parse_version(f"zinit {lower}") < parse_version(f"zinit {higher}")


numbers = st.integers(0, 999_999_999)


@given(
    st.tuples(numbers, numbers, numbers),
    st.integers(1, 999),
    st.integers(0, 2**64),
    st.sampled_from(["", "-dirty", "-modified"]),
    st.sampled_from(["", "v"]),
)
def test_commits_after_a_release_count_as_that_release(
    release: tuple[int, int, int], commits: int, commit: int, dirty: str, prefix: str
) -> None:
    printed = f"zinit {prefix}{'.'.join(map(str, release))}-{commits}-g{commit:07x}{dirty}"
    assert parse_version(printed) == Version(*release)


@given(st.text() | st.text("zinit v0123456789.-+gabc\n").map("zinit v0.2.".__add__))
def test_any_text_is_either_a_version_or_refused(printed: str) -> None:
    try:
        version = parse_version(printed)
    except UnreadableVersion:
        return
    assert f"{version.major}.{version.minor}.{version.patch}" in printed
