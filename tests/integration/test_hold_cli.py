"""``powerd hold`` as a user runs it: without Redis, without a chain, without a daemon."""

from __future__ import annotations

import json
import re
import stat
import subprocess
from pathlib import Path

import pytest

from tests.rigs.program_runs import run

pytestmark = pytest.mark.timeout(240)

INHIBITED = '{"type":"a(ssssuu)","data":[[["shutdown:sleep","apt","installs \\u001b[2J","block",0,42]]]}'


class Host:
    """A directory for holds, and a logind that prints what is said."""

    def __init__(self, directory: Path) -> None:
        self.holds = directory / "run" / "holds"
        self.busctl = directory / "busctl"
        self.settings = directory / "powerd.toml"
        self.logind_says('{"type":"a(ssssuu)","data":[[]]}')
        self.settings.write_text(f'[holds]\ndir = "{self.holds}"\ninhibitors_command = ["/bin/sh", "{self.busctl}"]\n')

    def logind_says(self, answer: str) -> None:
        self.busctl.write_text(f"cat <<'END'\n{answer}\nEND\n")

    def hold(self, *arguments: str, profile: str = "systemd") -> subprocess.CompletedProcess[str]:
        config = ("--config", str(self.settings), "--profile", profile)
        return run(*config, "hold", *arguments, TZ="UTC-3", PYTHONUTF8="1")


@pytest.fixture
def host(tmp_path: Path) -> Host:
    return Host(tmp_path)


def test_holds_are_placed_listed_and_lifted(host: Host) -> None:
    assert host.hold("list").stdout == "no hold keeps this node up\n"
    added = host.hold("add", "backup", "--reason", "nightly copy", "--for", "2h")
    assert re.fullmatch(r"held by backup, until \S+ \S+ \S+, for 2 h: nightly copy\n", added.stdout)
    assert host.hold("add", "operator", "--reason", "a new disk").stdout == "held by operator, no end: a new disk\n"
    host.hold("add", "move", "--reason", "to rack 7", "--until", "2126-01-31T08:15")
    header, *rows = host.hold("list").stdout.splitlines()
    assert header.split() == ["HOLDER", "EXPIRY", "REASON"]
    assert [row.split()[0] for row in rows] == ["backup", "move", "operator"]
    assert re.search(r"for (2 h|1 h 59 min) ", rows[0])
    assert "until 2126-01-31 08:15:00" in rows[1]
    assert rows[2].split(maxsplit=3) == ["operator", "no", "end", "a new disk"]
    assert host.hold("lift", "operator").stdout == "the hold of operator is lifted\n"
    assert "operator" not in host.hold("list").stdout


def test_a_holder_has_one_hold_the_last(host: Host) -> None:
    for reason in ("first", "second"):
        host.hold("add", "backup", "--reason", reason)
    (row,) = host.hold("list").stdout.splitlines()[1:]
    assert row.split() == ["backup", "no", "end", "second"]


def test_as_json(host: Host) -> None:
    host.logind_says(INHIBITED)
    host.hold("add", "backup", "--reason", "copy", "--until", "2126-01-31T08:15:00Z")
    assert json.loads(host.hold("list", "--json").stdout) == {
        "holds": [
            {
                "holder": "backup",
                "reason": "copy",
                "expires_at_s": 4925520900.0,
                "expired": False,
                "source": "file",
            },
            {
                "holder": "apt (pid 42, uid 0)",
                "reason": "installs \x1b[2J",
                "expires_at_s": None,
                "expired": False,
                "source": "logind",
            },
        ],
        "unreadable": [],
    }


def test_an_expired_hold_is_shown_as_such_until_it_is_lifted(host: Host) -> None:
    host.holds.mkdir(parents=True)
    (host.holds / "old.json").write_text('{"reason": "copy", "expires_at_s": 1000000000}')
    (host.holds / "odd.json").write_text('{"reason": "ages", "expires_at_s": 1e300}')
    listed = host.hold("list").stdout
    assert re.search(r"^old +expired at 2001-09-09 04:46:40 \S+, \d+ d( \d+ h)? ago +copy$", listed, re.MULTILINE)
    assert re.search(r"until second 1e\+300 of Unix time +ages$", listed, re.MULTILINE)
    assert host.hold("lift", "old").returncode == 0
    assert "old" not in host.hold("list").stdout


def test_logind_is_looked_at_on_systemd_alone(host: Host) -> None:
    host.logind_says(INHIBITED)
    listed = host.hold("list")
    assert "apt (pid 42, uid 0)  until its program ends (logind)  installs \\x1b[2J" in listed.stdout
    assert host.hold("list", profile="zos").stdout == "no hold keeps this node up\n"


def test_what_can_not_be_read_is_said_beside_what_can(host: Host) -> None:
    host.logind_says("nonsense")
    host.hold("add", "backup", "--reason", "copy")
    (host.holds / "torn.json").write_text("{")
    listed = host.hold("list")
    assert listed.returncode == 1
    assert "backup" in listed.stdout
    for words in (f"{host.holds}/torn.json is no hold", "printed no list of inhibitors"):
        assert words in listed.stderr
    assert host.hold("lift", "torn").returncode == 0


def test_a_broken_hold_of_another_program_is_explained_and_can_be_lifted(host: Host) -> None:
    host.holds.mkdir(parents=True)
    for name, content in {
        "-f": '{"reason": {"why": null}}',
        "two words": '{"reason": "copy", "expires_at_s": -1e300}',
        "\udcff": '{"reason": "copy"}',
        "array": "[]",
        "empty": "",
        "never": '{"reason": "copy", "expires_at_s": 1' + "0" * 400 + "}",
        "half": '{"reason": "copy", "lasts_s": 60}',
        "none": '{"why": "copy"}',
        "": '{"reason": "copy"}',
    }.items():
        (host.holds / f"{name}.json").write_text(content)
    (host.holds / "folder.json").mkdir()
    listed = host.hold("list")
    assert listed.returncode == 1
    assert '{"why": null}' in listed.stdout
    assert "expired at second -1e+300 of Unix time  copy" in listed.stdout
    assert "remove its file \\udcff.json" in listed.stdout
    assert "to lift two words: powerd hold lift 'two words'" in listed.stdout
    told = {line.split(".json")[0].rpartition("/")[2]: line for line in listed.stderr.splitlines()}
    assert "no JSON object" in told["array"]
    assert "no JSON at line 1" in told["empty"]
    assert "powerd hold lift empty" in told["empty"]
    assert "which is no time" in told["never"]
    assert len(told["never"]) < 300
    assert "has lasts_s, and no ends_at_s" in told["half"]
    assert "has no reason" in told["none"]
    assert "its name has no holder" in told[""]
    assert all(line.startswith("powerd: ") and "Error" not in line for line in told.values())
    for name in ("two words", "\udcff", "empty"):
        assert host.hold("lift", name).returncode == 0
    assert host.hold("lift", "--", "-f").returncode == 0
    assert "rm -r" in host.hold("lift", "folder").stderr


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("add", "x", "--reason", "  "), ["hold of x", "needs a reason"]),
        (("add", "x", "--reason", "r", "--for", "2 hours"), ["'2 hours'", "say 90s, 15m, 2h"]),
        (("add", "x", "--reason", "r", "--until", "tomorrow"), ["'tomorrow'", "say 2026-01-31T08:15"]),
        (("add", "x", "--reason", "r", "--until", "2001-01-01"), ["hold of x", "over already", "time to come"]),
        (("add", "x", "--reason", "r", "--for", "1h", "--until", "2126-01-01"), ["--for", "--until", "one of them"]),
        (("add", "x", "--reason", "r", "--for", "9999999d"), ["9999999d", "leave it out"]),
        (("add", "../x", "--reason", "r"), ["'../x'", "use letters"]),
        (("lift", "unknown"), ["there is no hold of unknown", "backup", "logind"]),
    ],
    ids=lambda value: " ".join(value),
)
def test_what_a_user_gets_wrong_is_named_with_the_remedy(
    host: Host, arguments: tuple[str, ...], words: list[str]
) -> None:
    host.holds.mkdir(parents=True)
    (host.holds / "backup.json").write_text('{"reason": "copy"}')
    done = host.hold(*arguments)
    assert done.returncode == 2
    assert done.stderr.count("\n") == 1
    for word in words:
        assert word in done.stderr
    assert [path.name for path in host.holds.iterdir()] == ["backup.json"]


def test_a_reason_has_to_be_given(host: Host) -> None:
    done = host.hold("add", "x")
    assert done.returncode == 2
    assert "--reason" in done.stderr


def test_a_directory_that_can_not_be_written_is_named(host: Host) -> None:
    host.holds.parent.write_text("a file")
    done = host.hold("add", "x", "--reason", "r")
    assert done.returncode == 1
    for words in ("hold of x is not placed", str(host.holds.parent), "holds.dir"):
        assert words in done.stderr


def test_every_user_can_read_them(host: Host) -> None:
    host.hold("add", "x", "--reason", "r")
    assert stat.S_IMODE((host.holds / "x.json").stat().st_mode) & 0o444 == 0o444


def test_simulated_holds_are_in_no_file(host: Host) -> None:
    done = host.hold("list", profile="simulated")
    assert done.returncode == 2
    assert "in the daemon's memory" in done.stderr


def test_the_help_says_that_a_reboot_ends_them(host: Host) -> None:
    assert "do not survive a reboot" in " ".join(host.hold("--help").stdout.split())
