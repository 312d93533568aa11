"""The files that install powerd: the programs take their command lines, and systemd takes the units."""

from __future__ import annotations

import configparser
import os
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from app.adapters.files.instance_lock import AlreadyRunning
from app.adapters.files.key_file import KeyFileAway, KeyFileError
from app.domain.services.supervision import EVERY_S_MAX, START_S
from app.entrypoints.check import as_service
from app.entrypoints.powerd.cli import main
from app.entrypoints.settings.keys import SettingsError, keys
from app.entrypoints.wiring.files import BOOTS_FILE
from tests.rigs.needs import missing

PACKAGING = Path(__file__).resolve().parents[2] / "packaging"
ZINIT = PACKAGING / "zinit" / "powerd.yaml"
SYSTEMD = PACKAGING / "systemd"
UNITS = {name: SYSTEMD / f"{name}.service" for name in ("powerd", "powerd-events")}
PROGRAM = "powerd"
"""On systemd's path: /usr/bin of the .deb, or /usr/local/bin of an installation by hand."""

STOP_S = 5.0
"""Within which powerd ends by itself (R12)."""

EXIT_CREDENTIALS = 243
"""systemd.exec(5): there is no file for LoadCredential=."""

OFFLINE_SINCE = 250
"""The first systemd-analyze that judges a unit file as such."""


def unit(name: str) -> configparser.ConfigParser:
    return parsed(UNITS[name])


def parsed(path: Path) -> configparser.ConfigParser:
    # Not strict: systemd reads a key that comes again as one more value; the last is seen here.
    parser = configparser.ConfigParser(strict=False, interpolation=None)
    parser.optionxform = str  # type: ignore[assignment, method-assign]
    parser.read(path)
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
    wrong_command_line = CliRunner().invoke(main, ["--no-such-option"]).exit_code
    prevented = {wrong_command_line, SettingsError.exit_code, KeyFileError.exit_code, EXIT_CREDENTIALS}
    assert set(map(int, service["RestartPreventExitStatus"].split())) == prevented
    # A disk may be mounted late, and another daemon may end.
    assert not {KeyFileAway.exit_code, AlreadyRunning.exit_code} & prevented


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
    assert program == PROGRAM
    # Everything is parsed before --help ends it.
    result = CliRunner().invoke(main, [*arguments, "--help"])
    assert result.exit_code == 0, result.output


def test_the_follower_is_the_programs_events_command() -> None:
    assert shlex.split(unit("powerd-events")["Service"]["ExecStart"]) == [PROGRAM, "events"]


@pytest.mark.parametrize("name", UNITS)
class TestUnits:
    """What holds for both."""

    def test_it_is_started_again_whatever_happens(self, name: str) -> None:
        assert unit(name)["Service"]["Restart"] == "always"
        assert unit(name)["Unit"]["StartLimitIntervalSec"] == "0"

    def test_systemd_hears_how_it_does_and_ends_one_that_hangs(self, name: str) -> None:
        service = unit(name)["Service"]
        assert service["Type"] == "notify"
        assert service["WatchdogSec"] == "3min"
        # systemd's own time-out holds for a start that hangs: one that waits prolongs it well before.
        assert "TimeoutStartSec" not in service
        assert EVERY_S_MAX * 3 < START_S < 90

    def test_it_is_given_a_little_longer_to_end_than_it_needs(self, name: str) -> None:
        assert STOP_S < float(unit(name)["Service"]["TimeoutStopSec"]) < 2 * STOP_S

    def test_its_key_is_the_credential_that_the_program_looks_for(self, name: str) -> None:
        assert unit(name)["Service"]["LoadCredential"].partition(":")[0] == "node-key"

    def test_every_variable_named_is_one_that_is_read(self, name: str) -> None:
        known = {key.variable for key in keys().values()}
        assert set(re.findall(r"\bPOWERD_[A-Z_]+\b", UNITS[name].read_text())) <= known

    def test_it_starts_where_nothing_can_be_written(self, name: str) -> None:
        service = unit(name)["Service"]
        # These make directories in /tmp and /var before the program runs; DynamicUser= means PrivateTmp=.
        assert {"PrivateDevices", "PrivateTmp", "DynamicUser", "StateDirectory", "CacheDirectory"} & set(
            service
        ) == set()
        assert service["ReadWritePaths"].startswith("-")

    def test_it_runs_as_a_user_that_is_installed(self, name: str) -> None:
        users = re.findall(r"^u (\S+)", (PACKAGING / "sysusers.d/powerd.conf").read_text(), re.MULTILINE)
        assert unit(name)["Service"]["User"] == name
        assert name in users

    def test_it_leaves_the_service_little_that_it_does_not_need(self, name: str) -> None:
        needs_systemd_analyze()
        version = re.match(r"systemd (\d+)", analyze("--version").stdout)
        if version is None or int(version[1]) < OFFLINE_SINCE:
            pytest.skip("this systemd-analyze judges only units that are installed")
        threshold = {"powerd": 22, "powerd-events": 17}[name]
        judged = analyze("security", "--offline=true", f"--threshold={threshold}", str(UNITS[name]))
        assert judged.returncode == 0, judged.stdout


def needs_systemd_analyze() -> None:
    if not shutil.which("systemd-analyze"):
        missing("systemd-analyze (Debian: apt-get install systemd)")


def analyze(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["systemd-analyze", "--no-pager", *arguments],
        capture_output=True,
        text=True,
        timeout=50,
        check=False,
        env={**os.environ, **environment},
    )


def test_systemd_finds_nothing_wrong_with_any_unit(tmp_path: Path) -> None:
    needs_systemd_analyze()
    shutil.copytree(SYSTEMD, tmp_path / "system")
    installed = sorted((tmp_path / "system").glob("*.service"))
    for path in installed:
        # It looks for the program, which is installed nowhere here.
        path.write_text(path.read_text().replace(f"ExecStart={PROGRAM}", f"ExecStart={sys.executable}"))
    # With the colon, systemd's own units come behind ours.
    verified = analyze(
        "verify",
        "--man=no",
        *map(str, installed),
        "poweroff.target",
        "reboot.target",
        SYSTEMD_UNIT_PATH=f"{tmp_path}/system:",
    )
    # It also reads what this machine's own units say of themselves; only ours count.
    assert [line for line in verified.stderr.splitlines() if "powerd" in line or ".target" in line] == []


@pytest.mark.parametrize("kind", ["poweroff", "reboot"])
def test_systemd_forces_it_where_a_service_refuses_to_stop(kind: str) -> None:
    """powerd is stopped first in the shutdown that it ordered; what outlives it is systemd's own job."""
    target = parsed(SYSTEMD / f"{kind}.target.d/powerd.conf")["Unit"]
    assert target == {"JobTimeoutSec": "10min", "JobTimeoutAction": f"{kind}-force"}


@pytest.mark.parametrize(("kind", "command"), [("power_off", "poweroff"), ("reboot", "reboot")])
def test_what_only_root_may_force_is_a_unit_that_a_shutdown_does_not_refuse(kind: str, command: str) -> None:
    unit_of_it = SYSTEMD / f"powerd-force-{command}.service"
    variable = keys()[f"host_power.force_{kind}_command"].variable
    set_there = dict(shlex.split(line)[0].split("=", 1) for line in environment_of("powerd"))
    assert shlex.split(set_there[variable])[-2:] == ["start", unit_of_it.name]
    assert parsed(unit_of_it)["Unit"]["DefaultDependencies"] == "no"
    assert shlex.split(parsed(unit_of_it)["Service"]["ExecStart"])[1:] == ["--force", command]
    assert f'"{unit_of_it.name}"' in (PACKAGING / "polkit/50-powerd.rules").read_text()


def environment_of(name: str) -> list[str]:
    return re.findall(r"^Environment=(.*)$", UNITS[name].read_text(), re.MULTILINE)


def by_hand() -> str:
    """The instructions where there is no package."""
    return (PACKAGING / "README.md").read_text().partition("## On another host with systemd")[2]


def test_the_instructions_make_the_directories_that_a_bare_debian_lacks() -> None:
    text = by_hand()
    made = " ".join(re.findall(r"^install -d -m 755 (.*)$", text, re.MULTILINE)).split()
    for place in ("/etc/sysusers.d", "/etc/tmpfiles.d", "/etc/powerd"):
        assert place in made
        assert text.index(place) < text.index(f" {place}/")


def test_hardened_hosts_install_files_that_the_services_can_read() -> None:
    """Under umask 027 or 077 the clone, and the modules compiled in it, would be for root alone."""
    text = by_hand()
    assert (
        text.index("umask 022") < text.index("git clone") < text.index("bootstrap.py setup") < text.index("compileall")
    )
    assert re.search(r"apt-get install .*\bgit\b", text)
    assert re.findall(r"^install (?!-d -m 755|-m (?:600|644|755) )", text, re.MULTILINE) == []


def test_every_file_of_packaging_is_installed_by_the_instructions() -> None:
    text = by_hand()
    files = {path.relative_to(PACKAGING) for path in PACKAGING.rglob("*") if path.is_file()}
    names = {path.as_posix() for path in files if path.parts[0] not in ("README.md", "debian", "ansible")}
    assert {name for name in names if f"packaging/{name}" not in text and not name.endswith(".service")} == set()
    assert "packaging/systemd/*.service" in text


def test_the_daemon_has_the_capabilities_of_its_ports_and_no_others() -> None:
    for key in ("AmbientCapabilities", "CapabilityBoundingSet"):
        assert unit("powerd")["Service"][key].split() == ["CAP_NET_RAW", "CAP_NET_ADMIN"]
    assert unit("powerd-events")["Service"]["CapabilityBoundingSet"] == ""


def test_the_daemon_sees_its_uptime_and_the_health_flags() -> None:
    service = unit("powerd")["Service"]
    assert "ProcSubset" not in service
    assert "PrivateTmp" not in service


def test_what_they_keep_lies_where_they_may_write() -> None:
    defaults = {name: key.default for name, key in keys().items()}
    assert unit("powerd")["Service"]["RuntimeDirectory"] == "powerd"
    assert str(defaults["holds.dir"]).startswith("/run/powerd/")
    made = re.findall(r"^d (\S+) 0755 (\S+)", (PACKAGING / "tmpfiles.d/powerd.conf").read_text(), re.MULTILINE)
    assert made == [(str(BOOTS_FILE.parent), "powerd"), ("/var/lib/powerd-events", "powerd-events")]
    assert f"ReadWritePaths=-{BOOTS_FILE.parent}\n" in UNITS["powerd"].read_text()
    follower = unit("powerd-events")["Service"]
    assert follower["ReadWritePaths"] == "-/var/lib/powerd-events"
    assert (
        "Environment=POWERD_FOLLOWER_CURSOR_FILE=/var/lib/powerd-events/cursor.json\n"
        in UNITS["powerd-events"].read_text()
    )


def test_the_instructions_name_files_and_variables_that_exist() -> None:
    text = (PACKAGING / "README.md").read_text()
    for target in re.findall(r"\]\(([^)#:]+)\)", text):
        assert (PACKAGING / target).exists(), target
    assert set(re.findall(r"\bPOWERD_[A-Z_]+\b", text)) <= {key.variable for key in keys().values()} | {"POWERD_CONFIG"}


def test_a_check_as_the_service_has_the_user_the_settings_the_key_and_the_rights_of_the_daemon() -> None:
    service = unit("powerd")["Service"]
    assert service["User"] == as_service.USER
    assert {name: service[name] for name in as_service.PROPERTIES} == as_service.PROPERTIES
