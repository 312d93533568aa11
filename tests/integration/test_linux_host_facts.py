"""`LinuxHostFacts`: the flag files' meaning, and the real /proc."""

from __future__ import annotations

import logging
import re
import time
from pathlib import Path

import pytest

from app.adapters.linux.host_facts import LinuxHostFacts
from app.domain.errors import PermanentError


def test_the_real_uptime_is_the_kernels() -> None:
    facts = LinuxHostFacts(Path("/nonexistent"))
    assert abs(facts.uptime_s() - time.clock_gettime(time.CLOCK_BOOTTIME)) < 5


def test_the_real_boot_id_is_a_uuid() -> None:
    boot_id = LinuxHostFacts(Path("/nonexistent")).boot_id()
    assert re.fullmatch(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", boot_id)


def test_a_hidden_proc_is_named_with_the_remedy(tmp_path: Path) -> None:
    facts = LinuxHostFacts(tmp_path, proc=tmp_path / "hidden")
    for read in (facts.uptime_s, facts.boot_id):
        with pytest.raises(PermanentError, match=r"hidden/.*ProcSubset"):
            read()


def test_no_flags_directory_means_healthy(tmp_path: Path) -> None:
    assert LinuxHostFacts(tmp_path / "none").health().good


def test_both_cache_flags_are_problems(tmp_path: Path) -> None:
    for flag in ("limited-cache", "readonly-cache"):
        (tmp_path / flag).touch()
    assert LinuxHostFacts(tmp_path).health().problems == ("readonly-cache", "limited-cache")


def test_a_flag_that_is_taken_away_is_no_problem_any_more(tmp_path: Path) -> None:
    facts = LinuxHostFacts(tmp_path)
    (tmp_path / "limited-cache").touch()
    assert not facts.health().good
    (tmp_path / "limited-cache").unlink()
    assert facts.health().good


@pytest.mark.parametrize("flag", ["not-reachable", "vm-test-failed", "anything"])
def test_other_flags_are_no_problem(tmp_path: Path, flag: str) -> None:
    (tmp_path / flag).touch()
    assert LinuxHostFacts(tmp_path).health().good


def test_a_flag_that_cannot_be_looked_at_counts_as_set(tmp_path: Path) -> None:
    no_directory = tmp_path / "flags"
    no_directory.touch()
    assert LinuxHostFacts(no_directory).health().problems == ("readonly-cache", "limited-cache")
    (tmp_path / "readonly-cache").symlink_to("readonly-cache")
    assert LinuxHostFacts(tmp_path).health().problems == ("readonly-cache",)


def test_not_reachable_is_logged_when_it_changes_only(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    facts = LinuxHostFacts(tmp_path)
    with caplog.at_level(logging.INFO):
        for change in (Path.touch, Path.unlink):
            change(tmp_path / "not-reachable")
            facts.health()
            facts.health()
    assert caplog.messages == ["the flag not-reachable is set", "the flag not-reachable is no longer set"]
