"""The files that install powerd: the programs take their command lines, and systemd takes the units."""

from __future__ import annotations

import configparser
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from app.adapters.files.key_file import KeyFileError
from app.entrypoints.adapters import BOOTS_FILE
from app.entrypoints.cli import main
from app.entrypoints.settings_keys import SettingsError, keys

PACKAGING = Path(__file__).resolve().parents[2] / "packaging"
ZINIT = PACKAGING / "zinit" / "powerd.yaml"
UNITS = {path.stem: path for path in sorted((PACKAGING / "systemd").glob("*.service"))}
PROGRAM = "/opt/powerd/.venv/bin/powerd"

STOP_S = 5.0
"""Within which powerd ends by itself (R12)."""

OFFLINE_SINCE = 250
"""The first systemd-analyze that judges a unit file as such."""


def unit(name: str) -> configparser.ConfigParser:
    # Not strict: systemd reads a key that comes again as one more value; the last is seen here.
    parser = configparser.ConfigParser(strict=False, interpolation=None)
    parser.optionxform = str  # type: ignore[assignment, method-assign]
    parser.read(UNITS[name])
    return parser


def zinit_service() -> list[tuple[str, str | list[str]]]:
    """Keys and values, in order; all the YAML that the file may use."""
    entries: list[tuple[str, str | list[str]]] = []
    for line in ZINIT.read_text().splitlines():
        if line.startswith("  - "):
            value = entries[-1][1]
            assert isinstance(value, list)
            value.append(line.removeprefix("  - "))
        else:
            key, _, text = line.partition(":")
            entries.append((key, text.strip() or []))
    return entries


@pytest.mark.parametrize("name", sorted(UNITS))
def test_a_unit_is_not_started_again_and_again_while_a_setting_is_wrong(name: str) -> None:
    service = unit(name)["Service"]
    assert service["Restart"] == "always"
    assert service["RestartPreventExitStatus"] == str(SettingsError.exit_code) == str(KeyFileError.exit_code) == "78"


def command_lines() -> list[str]:
    return [str(dict(zinit_service())["exec"]), *(unit(name)["Service"]["ExecStart"] for name in UNITS)]


def test_zinit_starts_it_after_boot_and_noded_with_the_specified_line() -> None:
    assert zinit_service() == [
        ("exec", "powerd --broker unix://var/run/redis.sock"),
        ("after", ["boot", "noded"]),
    ]


@pytest.mark.parametrize("line", command_lines())
def test_the_program_takes_each_command_line(line: str) -> None:
    program, *arguments = shlex.split(line)
    assert program in ("powerd", PROGRAM)
    # Everything is parsed before --help ends it.
    result = CliRunner().invoke(main, [*arguments, "--help"])
    assert result.exit_code == 0, result.output


def test_the_follower_is_the_programs_events_command() -> None:
    assert shlex.split(unit("powerd-events")["Service"]["ExecStart"]) == [PROGRAM, "events"]


@pytest.mark.parametrize("name", UNITS)
class TestUnits:
    """What holds for both."""

    def test_it_is_started_again_whatever_happens(self, name: str) -> None:
        parsed = unit(name)
        assert parsed["Service"]["Restart"] == "always"
        assert parsed["Unit"]["StartLimitIntervalSec"] == "0"

    def test_it_is_given_a_little_longer_to_end_than_it_needs(self, name: str) -> None:
        assert STOP_S < float(unit(name)["Service"]["TimeoutStopSec"]) < 2 * STOP_S

    def test_its_key_is_the_credential_that_the_program_looks_for(self, name: str) -> None:
        assert unit(name)["Service"]["LoadCredential"].partition(":")[0] == "node-key"

    def test_every_variable_named_is_one_that_is_read(self, name: str) -> None:
        known = {key.variable for key in keys().values()}
        assert set(re.findall(r"\bPOWERD_[A-Z_]+\b", UNITS[name].read_text())) <= known

    @pytest.mark.skipif(not shutil.which("systemd-analyze"), reason="needs systemd-analyze")
    def test_systemd_finds_nothing_wrong_with_it(self, name: str, tmp_path: Path) -> None:
        installed = tmp_path / f"{name}.service"
        # It looks for the program, which is installed nowhere here.
        installed.write_text(UNITS[name].read_text().replace(PROGRAM, sys.executable))
        verified = analyze("verify", "--man=no", str(installed))
        # It also reads what this machine's own units say of themselves; only ours count.
        assert [line for line in verified.stderr.splitlines() if name in line] == []

    @pytest.mark.skipif(not shutil.which("systemd-analyze"), reason="needs systemd-analyze")
    def test_it_leaves_the_service_little_that_it_does_not_need(self, name: str) -> None:
        version = re.match(r"systemd (\d+)", analyze("--version").stdout)
        if version is None or int(version[1]) < OFFLINE_SINCE:
            pytest.skip("this systemd-analyze judges only units that are installed")
        threshold = {"powerd": 30, "powerd-events": 20}[name]
        judged = analyze("security", "--offline=true", f"--threshold={threshold}", str(UNITS[name]))
        assert judged.returncode == 0, judged.stdout


def analyze(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["systemd-analyze", "--no-pager", *arguments], capture_output=True, text=True, timeout=50, check=False
    )


def test_the_daemon_has_the_capabilities_of_its_ports_and_no_others() -> None:
    assert unit("powerd")["Service"]["CapabilityBoundingSet"].split() == ["CAP_NET_RAW", "CAP_NET_ADMIN"]
    assert unit("powerd-events")["Service"]["CapabilityBoundingSet"] == ""


def test_the_daemon_sees_its_uptime_and_the_health_flags() -> None:
    service = unit("powerd")["Service"]
    assert "ProcSubset" not in service
    assert "PrivateTmp" not in service


def test_what_they_keep_lies_where_they_may_write() -> None:
    defaults = {name: key.default for name, key in keys().items()}
    assert unit("powerd")["Service"]["RuntimeDirectory"] == "powerd"
    assert str(defaults["holds.dir"]).startswith("/run/powerd/")
    assert str(BOOTS_FILE.parent) == f"/var/lib/{unit('powerd')['Service']['StateDirectory']}"
    follower = unit("powerd-events")["Service"]
    assert follower["Environment"] == f"POWERD_FOLLOWER_CURSOR_FILE=%S/{follower['StateDirectory']}/cursor.json"


def test_the_instructions_name_files_and_variables_that_exist() -> None:
    text = (PACKAGING / "README.md").read_text()
    for target in re.findall(r"\]\(([^)#:]+)\)", text):
        assert (PACKAGING / target).exists(), target
    assert set(re.findall(r"\bPOWERD_[A-Z_]+\b", text)) <= {key.variable for key in keys().values()} | {"POWERD_CONFIG"}
