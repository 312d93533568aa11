"""The programs as a user runs them, with everything a user may get wrong: a message, no traceback."""

from __future__ import annotations

import json
import signal
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from app.adapters.simulated.farm_setup import mac_of
from app.entrypoints.demo.installation import program
from tests.rigs.chain.as_process import dev_chain
from tests.rigs.program_runs import run
from tests.slowness import patient

pytestmark = pytest.mark.timeout(180)

EX_CONFIG = 78
NOWHERE = "ws://127.0.0.1:9"


def run_for_a_while(until: str, *arguments: str, **environment: str) -> tuple[int, str]:
    """The program until it says ``until``, then SIGTERM: its exit code and what it said."""
    # Nothing is to be kept on this machine's disk.
    environment = {"POWERD_BOOT_MEMORY_KIND": "simulated", **environment}
    process = subprocess.Popen(
        [program("powerd"), *arguments], env=environment, stderr=subprocess.PIPE, stdin=subprocess.DEVNULL, text=True
    )
    said = ""
    assert process.stderr is not None
    for line in process.stderr:
        said += line
        if until in line:
            break
    process.send_signal(signal.SIGTERM)
    said += process.stderr.read()
    process.stderr.close()
    assert "Traceback" not in said
    return process.wait(timeout=patient(30)), said


@pytest.fixture
def directory() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="powerd-") as name:
        yield Path(name)


@pytest.fixture(scope="module")
def chain() -> Iterator[dict[str, Any]]:
    """A dev chain that makes a block per extrinsic, with a farm of two."""
    with dev_chain(nodes=2) as running:
        yield running.about


class TestHelp:
    def test_the_daemon_explains_itself(self) -> None:
        done = run("--help")
        assert done.returncode == 0
        for word in ("--broker", "--config", "events", "farm", "hold", "decode", "demo"):
            assert word in done.stdout

    @pytest.mark.parametrize(
        "command", [["events"], ["farm"], ["farm", "down"], ["hold"], ["hold", "add"], ["decode"], ["demo"]]
    )
    def test_every_command_explains_itself(self, command: list[str]) -> None:
        assert run(*command, "--help").returncode == 0

    def test_an_unknown_command_is_named(self) -> None:
        done = run("frobnicate")
        assert done.returncode == 2
        assert "frobnicate" in done.stderr


class TestDecode:
    EVENT = (
        "457f03010116506f7765725461726765744368616e67654576656e7401ff8000010301064661726d494401060001064e6f64654944"
        "010600010654617267657401ff8200000027ff8103010105506f77657201ff8200010201044973557001020001064973446f776e01"
        "020000000bff80010101070102010000"
    )

    def test_a_good_payload(self) -> None:
        done = run("decode", "-", stdin=self.EVENT + "\n")
        assert done.returncode == 0
        assert done.stdout == '{"FarmID":1,"NodeID":7,"Target":{"IsUp":false,"IsDown":true}}\n'

    def test_frames_of_zbus(self) -> None:
        frame = "83a24944a27231a64f757470757482a444617461c405ce00000007a54572726f72c0a54572726f72c0"
        done = run("decode", "--zbus", "-", stdin=f"{frame}\n{self.EVENT}\n")
        good, bad = map(json.loads, done.stdout.splitlines())
        assert good == {"ID": "r1", "Output": {"Data": 7, "Error": None}, "Error": None}
        assert list(bad) == ["error"]
        assert done.returncode == 1

    def test_one_line_in_one_line_out_whatever_the_line(self) -> None:
        done = run("decode", "-", stdin=f"{self.EVENT}\nff\n\n{self.EVENT}\n")
        first, second, third, fourth = (json.loads(line) for line in done.stdout.splitlines())
        assert done.returncode == 1
        assert first == fourth
        assert "offset" in second["error"]
        assert third == {"error": "EOF: the payload is empty"}

    def test_bytes_that_are_no_text_are_a_line_too(self) -> None:
        done = subprocess.run(
            [program("powerd"), "decode", "-"], input=b"\xff\n" + self.EVENT.encode(), capture_output=True, timeout=60
        )
        refused, good = (json.loads(line) for line in done.stdout.splitlines())
        assert "no hex digit" in refused["error"]
        assert good["NodeID"] == 7

    def test_a_mark_in_front_of_the_text_does_no_harm(self, directory: Path) -> None:
        file = directory / "events.hex"
        file.write_text(f"\ufeff{self.EVENT}\n", encoding="utf-8")
        assert run("decode", str(file)).returncode == 0
        assert run("decode", "-", stdin=f"\ufeff{self.EVENT}\n", PYTHONUTF8="1").returncode == 0

    def test_a_file_that_is_not_there(self) -> None:
        done = run("decode", "/nonexistent")
        assert done.returncode == 2
        assert "/nonexistent" in done.stderr


class TestWrongSettings:
    @pytest.mark.parametrize(
        ("content", "words"),
        [
            ("[chain\n", ["line 1"]),
            ("[chain]\nurlz = []\n", ["chain.urlz", "chain.urls"]),
            ("[wake]\npackets = 'ten'\n", ["wake.packets", "whole number"]),
            ("[broker]\nurl = 'http://x'\n", ["http", "unix"]),
            ("[magic_packets]\nhost = 'example'\n", ["magic_packets.host", "IPv4"]),
            ("[chain]\nera_blocks = 17\n", ["chain.era_blocks", "power of two"]),
        ],
    )
    def test_a_settings_file_is_refused_with_the_place_named(
        self, directory: Path, content: str, words: list[str]
    ) -> None:
        file = directory / "powerd.toml"
        file.write_text(content)
        done = run("--config", str(file))
        assert done.returncode == EX_CONFIG
        assert str(file) in done.stderr
        for word in words:
            assert word in done.stderr
        assert done.stderr.count("\n") == 1

    def test_a_mark_in_front_of_a_settings_file_does_no_harm(self, directory: Path) -> None:
        file = directory / "powerd.toml"
        file.write_text(f'\ufeff[holds]\r\ndir = "{directory}"\r\n', encoding="utf-8")
        assert run("--config", str(file), "--profile", "zos", "hold", "list").returncode == 0

    def test_a_settings_file_that_is_not_there(self) -> None:
        done = run("--config", "/nonexistent.toml")
        assert done.returncode == EX_CONFIG
        assert "/nonexistent.toml" in done.stderr

    def test_a_broker_url_of_an_unknown_scheme(self) -> None:
        done = run("--broker", "amqp://host")
        assert done.returncode == EX_CONFIG
        for word in ("amqp://host", "unix", "tcp", "redis"):
            assert word in done.stderr

    def test_no_identity_at_all(self) -> None:
        done = run(POWERD_CHAIN_URLS=NOWHERE)
        assert done.returncode == EX_CONFIG
        assert "identity.key_file" in done.stderr


class TestKeyFiles:
    @pytest.mark.parametrize(
        ("content", "mode", "words"),
        [
            (None, 0o600, ["no such file", "does not exist"]),
            ("11" * 32, 0o644, ["chmod 600"]),
            ("", 0o600, ["key file"]),
            ("not a key", 0o600, ["holds 3 words"]),
            ("abandon " * 11 + "about1", 0o600, ["key file"]),
            ("abandon " * 11 + "abandon", 0o600, ["checksum"]),
            ("abandon " * 11 + "abandonn", 0o600, ["word 12 is not"]),
        ],
    )
    def test_a_bad_key_file_is_named_and_nothing_of_it_shown(
        self, directory: Path, content: str | None, mode: int, words: list[str]
    ) -> None:
        file = directory / "node.key"
        if content is not None:
            file.write_text(content)
            file.chmod(mode)
        done = run(POWERD_IDENTITY_KEY_FILE=str(file), POWERD_CHAIN_URLS=NOWHERE)
        # A disk may be mounted late; what stands in a file has to be fixed.
        assert done.returncode == (1 if content is None else EX_CONFIG)
        assert str(file) in done.stderr
        assert any(word in done.stderr.lower() for word in words)
        assert "not a key\n" not in done.stderr
        assert "1111" not in done.stderr
        assert "abandon" not in done.stderr

    def test_a_relative_path_to_none_is_a_wrong_setting(self) -> None:
        for command, variable in (([], "POWERD_IDENTITY_KEY_FILE"), (["farm", "up", "1"], "POWERD_FARMER_KEY_FILE")):
            done = run(*command, **{variable: "nowhere.key", "POWERD_CHAIN_URLS": NOWHERE})
            assert done.returncode == EX_CONFIG
            assert f"the key file nowhere.key does not exist in {Path.cwd()}" in done.stderr


class TestNeighboursAreAway:
    def test_a_chain_that_is_away_is_waited_for_and_named(self, chain: dict[str, Any]) -> None:
        code, said = run_for_a_while(
            f"the chain at {NOWHERE}",
            POWERD_CHAIN_URLS=NOWHERE,
            POWERD_IDENTITY_KEY_FILE=chain["nodes"][0]["key_file"],
        )
        assert code == 0
        assert "again" in said

    def test_a_broker_that_is_away_is_waited_for_and_named(self, chain: dict[str, Any], directory: Path) -> None:
        code, said = run_for_a_while(
            "reading events",
            *("--broker", f"unix://{directory}/nowhere.sock"),
            POWERD_CHAIN_URLS=chain["url"],
            POWERD_IDENTITY_KEY_FILE=chain["nodes"][0]["key_file"],
            POWERD_NIC_KIND="simulated",
            POWERD_NIC_MAC=str(mac_of(1, 1)),
        )
        assert code == 0
        assert "again" in said
        assert "/nowhere.sock" in said

    def test_the_line_that_zero_os_ships_means_what_go_makes_of_it(self, chain: dict[str, Any]) -> None:
        _, said = run_for_a_while(
            "redis.sock",
            *("--broker", "unix://var/run/redis.sock"),
            POWERD_CHAIN_URLS=chain["url"],
            POWERD_IDENTITY_KEY_FILE=chain["nodes"][0]["key_file"],
            POWERD_PROFILE="systemd",
        )
        assert "unix:///run/redis.sock" in said


class TestIdentity:
    def test_a_key_the_chain_does_not_know(self, chain: dict[str, Any]) -> None:
        done = run(POWERD_CHAIN_URLS=chain["url"], POWERD_IDENTITY_KEY_FILE=chain["farmer"]["key_file"])
        assert done.returncode == 1
        assert "node" in done.stderr

    def test_a_node_that_does_not_exist(self, chain: dict[str, Any]) -> None:
        done = run(POWERD_CHAIN_URLS=chain["url"], POWERD_IDENTITY_NODE_ID="99")
        assert done.returncode == 1
        assert "99" in done.stderr
