"""``powerd check`` against a real Redis, a dev chain, and cards that are not there; in this process, for speed."""

from __future__ import annotations

import asyncio
import json
import re
import socket
import subprocess
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from pytest_mock import MockerFixture

from app.adapters.linux.host_facts import LinuxHostFacts
from app.entrypoints.demo.installation import program, toml
from app.entrypoints.demo.redis_server import RedisServer
from app.entrypoints.powerd.cli import main
from tests.rigs.chain.as_process import DevChain, dev_chain
from tests.rigs.dev_rpc import line
from tests.rigs.fake_kernel import MAGIC, PHY, Card, Kernel
from tests.rigs.node import node_rig
from tests.rigs.redis import hand, own_server
from tests.rigs.zos import STAND_INS
from tests.slowness import patient

pytestmark = pytest.mark.timeout(120)

TIME_S = patient(10.0)


@pytest.fixture(scope="module")
def chain() -> Iterator[DevChain]:
    with dev_chain("--endpoints", "2", nodes=3, block_time_s=0.5) as running:
        yield running


@pytest.fixture(scope="module")
def redis() -> Iterator[RedisServer]:
    with own_server() as running:
        yield running


@dataclass
class Host:
    """A node's machine. ``settings`` may be changed, and so may its ``card``."""

    directory: Path
    settings: dict[str, dict[str, Any]]
    card: Card

    def check(self, *options: str) -> tuple[int, Mapping[str, list[Mapping[str, Any]]]]:
        """The exit code, and the findings by check."""
        done = self.run("--json", *options)
        found: dict[str, list[Mapping[str, Any]]] = {}
        for each in json.loads(done.stdout)["checks"]:
            found.setdefault(each["check"], []).append(each)
        return done.exit_code, found

    def run(self, *options: str, **environment: str) -> Any:
        config = self.directory / "powerd.toml"
        config.write_text(toml(self.settings))
        words = ["--profile", "systemd", "--config", str(config), "check", "--timeout", f"{TIME_S:.0f}s", *options]
        return CliRunner(env=environment).invoke(main, words, catch_exceptions=False)

    def trial(self) -> str:
        """What --trial prints."""
        config = self.directory / "powerd.toml"
        config.write_text(toml(self.settings))
        return str(CliRunner().invoke(main, ["--config", str(config), "check", "--trial"]).output)

    def only(self, name: str) -> Mapping[str, Any]:
        """The one finding of this check, which runs alone."""
        (found,) = self.check("--only", name)[1][name]
        return found


@pytest.fixture
def host(chain: DevChain, redis: RedisServer, tmp_path: Path, mocker: MockerFixture) -> Iterator[Host]:
    me = chain.about["nodes"][0]
    kernel = Kernel()
    kernel.install(mocker)
    card = Card("eth0", me["mac"], on=MAGIC)
    kernel.add(card)
    mocker.patch("app.adapters.linux.neighbour_table._read", return_value={chain.about["nodes"][1]["mac"]: "eth0"})
    settings: dict[str, dict[str, Any]] = {
        "broker": {"url": redis.url()},
        "chain": {"urls": list(chain.urls)},
        "identity": {"key_file": me["key_file"]},
        "nic": {"bridge": "eth0"},
        "magic_packets": {"kind": "udp", "interface": "", "host": "127.255.255.255"},
        "host_power": {"power_off_command": ["true"]},
        "holds": {"kind": "files", "dir": str(tmp_path / "holds")},
        "boot_memory": {"file": str(tmp_path / "state" / "boots.json")},
    }
    yield Host(tmp_path, settings, card)
    with hand(redis.url()) as client:
        client.flushall()


def bad(found: Mapping[str, list[Mapping[str, Any]]]) -> dict[str, str]:
    """What is not well, by check."""
    return {
        name: each["seen"]
        for name, lines in found.items()
        for each in lines
        if each["severity"] not in ("ok", "not here")
    }


def test_on_a_healthy_node_all_is_well_and_nothing_is_changed(host: Host, chain: DevChain, redis: RedisServer) -> None:
    host.settings["chain"]["timeout_s"] = 77.0
    with line(chain.url) as rpc, hand(redis.url()) as client:
        me = chain.about["nodes"][0]["address"]
        before = rpc.ask("system_accountNextIndex", me), client.keys(), host.card.on
        code, found = host.check()
        assert bad(found) == {}
        assert code == 0
        assert (rpc.ask("system_accountNextIndex", me), client.keys(), host.card.on) == before
    assert not (host.directory / "state").exists()
    assert "node 1 of farm 1, twin" in found["node"][0]["seen"]
    assert "TFT: enough for" in found["account"][0]["seen"]
    assert [each["subject"] for each in found["endpoints"]] == list(chain.urls)
    assert "takes extrinsics; genesis 0x" in found["endpoints"][0]["seen"]
    assert "node 2 (" in found["wakers"][0]["seen"]
    assert f"identity.key_file = {chain.about['nodes'][0]['key_file']}" in found["settings"][0]["seen"]
    assert "chain.timeout_s = 77.0" in found["settings"][0]["seen"]  # though no check waits so long
    assert found["settings"][0]["subject"] == str(host.directory / "powerd.toml")


@contextmanager
def silent_port() -> Iterator[int]:
    """Takes connections, and never answers."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        yield listener.getsockname()[1]


def closed_port() -> int:
    """Refuses connections."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])


def test_one_endpoint_that_is_away_is_a_warning_and_all_of_them_a_failure(host: Host, chain: DevChain) -> None:
    away = f"ws://127.0.0.1:{closed_port()}"
    host.settings["chain"]["urls"] = [away, chain.url]
    code, found = host.check("--only", "endpoints,clock")
    assert [each["severity"] for each in found["endpoints"]] == ["warning", "ok"]
    assert "Connection refused" in bad(found)["endpoints"]
    assert code == 1
    assert host.check("--only", "endpoints", "--warnings-pass")[0] == 0
    host.settings["chain"]["urls"] = [away]
    code, found = host.check("--only", "endpoints,clock,node")
    assert code == 2
    assert found["endpoints"][0]["remedy"].startswith("set an endpoint that works in chain.urls")
    assert found["node"][0]["seen"] == found["clock"][0]["seen"] == "it needs endpoints"


def test_a_clock_that_is_wrong_is_named_with_the_difference(host: Host, mocker: MockerFixture) -> None:
    now_s = time.time()
    clock = mocker.patch("app.entrypoints.check.subject.SystemClock").return_value
    clock.now.return_value = now_s - 200
    assert "this machine's clock is 200 s behind" in host.only("clock")["seen"].replace("199", "200")
    clock.now.return_value = now_s + 200
    assert "the clock is ahead, or the chain stands still" in host.only("clock")["seen"]


def test_a_chain_and_a_redis_that_hang_cost_no_more_than_the_time_there_is(host: Host) -> None:
    with silent_port() as port:
        host.settings["chain"]["urls"] = [f"ws://127.0.0.1:{port}"]
        host.settings["broker"]["url"] = f"redis://127.0.0.1:{port}"
        host.settings["identity"]["key_file"] = ""
        time_s = round(patient(2.0))  # also for the healthy parts, which load their modules in it
        began_s = time.monotonic()
        done = host.run("--json", "--timeout", f"{time_s}s")
        assert time.monotonic() - began_s < time_s + patient(5)
    found = {each["check"]: each for each in json.loads(done.stdout)["checks"]}
    for name in ("broker", "endpoints"):
        assert found[name]["severity"] == "failed"
        assert re.search("no (answer|connection) (in time|within)", found[name]["seen"])
    assert found["card"]["severity"] == "ok"


@pytest.mark.parametrize(
    ("change", "check", "severity", "seen"),
    [
        ({"chain": {"genesis_hash": "0x" + "12" * 32}}, "endpoints", "failed", "serves another chain: its genesis is"),
        ({"identity": {"key_file": ""}}, "key", "failed", "no key is named"),
        ({"identity": {"key_file": "/nowhere/key"}}, "key", "failed", "/nowhere/key"),
        ({"identity": {"farm_id": 99}}, "node", "failed", "node 1 of farm 1, twin 2; the settings name farm 99"),
        ({"identity": {"node_id": 77}}, "node", "failed", "the chain knows no node 77"),
        ({"identity": {"node_id": 2}}, "node", "failed", "node 2 belongs to twin 3 with account"),
        ({"identity": {"key_type": "sr25519"}}, "node", "failed", "the chain has no twin for this node's key"),
        ({"identity": {"key_type": "sr25519"}}, "account", "failed", "is empty"),
        ({"nic": {"bridge": "br7"}}, "card", "failed", "there is no network interface br7"),
        ({"magic_packets": {"interface": "br7"}}, "packets", "failed", "there is no such network interface"),
        ({"host_power": {"power_off_command": ["no-such-program"]}}, "power-off", "failed", "no-such-program"),
        ({"boot_memory": {"file": "/proc/nowhere/boots.json"}}, "memory", "failed", "can't be written by user"),
        ({"metrics": {"textfile": "/proc/nowhere/powerd.prom"}}, "memory", "failed", "/proc/nowhere can't be written"),
        ({"rtc_alarm": {"enabled": True, "device": "/nowhere"}}, "alarm", "failed", "/nowhere/wakealarm is missing"),
        ({"broker": {"url": "redis://127.0.0.1:1/3"}}, "broker", "failed", "127.0.0.1:1 (database 3) does not answer"),
    ],
)
def test_what_is_wrong_is_named_with_a_remedy(
    host: Host, change: Mapping[str, Mapping[str, Any]], check: str, severity: str, seen: str
) -> None:
    host.settings["chain"]["urls"] = host.settings["chain"]["urls"][:1]
    for section, values in change.items():
        host.settings.setdefault(section, {}).update(values)
    found = host.check("--only", check)[1][check][-1]
    assert found["severity"] == severity
    assert seen in found["seen"]
    assert found["remedy"]


def test_the_card_may_have_another_address_not_be_armed_and_wake_by_other_traffic(host: Host) -> None:
    host.card.address, host.card.on = "54:b2:03:00:00:99", PHY
    code, found = host.check("--only", "node,card,armed,wake-modes,address")
    assert code == 2
    wrong = bad(found)
    assert "which is its address on chain, and eth0 has 54:b2:03:00:00:99" in wrong["address"]
    assert "eth0 is not armed: `ethtool eth0` says wol p, without g" in wrong["armed"]
    assert "eth0 wakes this machine by the link coming up (p) too" in wrong["wake-modes"]
    assert host.card.on == PHY


def test_a_hold_and_a_flag_are_named(host: Host) -> None:
    holds, flags = host.directory / "holds", host.directory / "flags"
    for directory in (holds, flags):
        directory.mkdir()
    (holds / "me.json").write_text(json.dumps({"holder": "me", "reason": "a new disk"}))
    (flags / "readonly-cache").touch()
    host.settings["host_facts"] = {"flags_dir": str(flags)}
    code, found = host.check("--only", "holds,health")
    assert bad(found) == {"holds": "held by me: a new disk", "health": "no uptime is reported: readonly-cache"}
    assert code == 2


def acl(redis: RedisServer, rights: str) -> str:
    """The URL of a user with these rights, of those that docs/redis.md gives the daemon."""
    with hand(redis.url()) as client:
        client.execute_command("ACL", "SETUSER", "check", "reset", "on", ">secret", *rights.split())
    return f"unix://check:secret@{redis.socket}"


def documented() -> str:
    (line,) = re.findall(r"^ACL SETUSER powerd on >PASSWORD (.*)$", Path("docs/redis.md").read_text(), re.MULTILINE)
    return str(line)


def test_the_rights_that_are_documented_suffice_and_what_is_missing_is_named(host: Host, redis: RedisServer) -> None:
    host.settings["broker"]["url"] = acl(redis, documented())
    code, found = host.check("--only", "broker,rights,stream")
    assert (code, bad(found)) == (0, {})
    assert found["broker"][0]["seen"].startswith("version ")
    acl(redis, documented().replace("+xack ", "").replace("+hset ", ""))
    code, found = host.check("--only", "broker,rights")
    assert [each["seen"] for each in found["rights"]] == [
        "this user may not XACK: events are handled again and again",
        "no noticing another node on this database: this user may not HSET",
    ]
    acl(redis, documented().replace("+xreadgroup ", ""))
    code, found = host.check("--only", "broker,rights")
    assert (code, bad(found)["rights"]) == (2, "no event can be read: this user may not XREADGROUP")
    acl(redis, "-@all")
    code, found = host.check("--only", "broker,rights,stream")
    assert code == 2
    assert "XREADGROUP or XGROUP" in found["rights"][0]["seen"]
    assert "this user may not XINFO" in bad(found)["stream"]
    host.settings["broker"]["url"] = f"unix://check:wrong@{redis.socket}"
    assert "WRONGPASS" in host.only("broker")["seen"]
    with hand(redis.url()) as client:
        assert client.keys() == []


def test_the_group_and_other_readers_of_the_stream_are_named(host: Host, redis: RedisServer) -> None:
    with hand(redis.url()) as client:
        client.xgroup_create("stream:power-target", "group:stream:public-config:power", mkstream=True)
        client.xadd("stream:power-target", {"body": "x"})
        client.hset("stream:power-target:readers", mapping={"node 1 of farm 1 aa": 1, "node 2 of farm 1 bb": 5})
    code, found = host.check("--only", "stream,readers")
    assert found["stream"][0]["seen"] == "the group is there; 1 entries, 0 of them pending"
    assert "node 2 of farm 1 read this stream too" in bad(found)["readers"]
    assert code == 1


LOGIND = {
    "yes": ("ok", "may power off"),
    "no": ("failed", "may not power off (logind: no)"),
    "challenge": ("failed", "may not power off (logind: challenge)"),
    "na": ("failed", "this machine can't power off"),
    "inhibited": ("warning", "while an inhibitor is held"),
    "": ("warning", "logind's answer to CanPowerOff can't be read"),
}


@pytest.mark.parametrize("answer", LOGIND)
def test_logind_is_asked_whether_the_machine_may_be_powered_off(
    host: Host, answer: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    programs = host.directory / "bin"
    programs.mkdir()
    (programs / "systemctl").write_text(f"#!/bin/sh\ntouch {host.directory}/ordered\n")
    said = json.dumps({"type": "s", "data": [answer]}) if answer else "{}"
    (programs / "busctl").write_text(f"#!/bin/sh\necho '{said}'\n")
    for each in programs.iterdir():
        each.chmod(0o755)
    monkeypatch.setenv("PATH", f"{programs}:/usr/bin:/bin")
    del host.settings["host_power"]
    _, found = host.check("--only", "power-off")
    severity, seen = LOGIND[answer]
    assert [each["severity"] for each in found["power-off"]] == [severity] * (2 if answer else 1)
    assert seen in found["power-off"][0]["seen"]
    assert not (host.directory / "ordered").exists()


def test_without_a_peer_that_is_awake_it_says_what_that_means(host: Host) -> None:
    with dev_chain(nodes=1) as lonely:
        host.settings["chain"] = {"urls": [lonely.url], "best_head_age_s_max": 0, "finalized_head_age_s_max": 0}
        host.settings["identity"]["key_file"] = lonely.about["nodes"][0]["key_file"]
        assert host.only("wakers")["severity"] == "warning"
        host.settings["power_management"] = {"last_waker_guard": False}
        alone = host.only("wakers")
    assert alone["severity"] == "failed"
    assert alone["seen"] == "this is the farm's only node: no node can wake it"


def test_what_was_proved_is_shown_and_a_trial_can_be_allowed(host: Host) -> None:
    assert host.only("proof")["severity"] == "ok"
    assert "no trial is needed" in host.trial()
    host.settings["power_management"] = {"require_proved_wake": True}
    assert host.only("proof")["seen"].startswith("no wake of this node was seen yet: it stays up")
    assert "for an hour, and in this boot only, this node may power off" in host.trial()
    facts = LinuxHostFacts(host.directory)
    allowed = json.loads((host.directory / "state" / "boots-wakes-trial.json").read_text())
    assert allowed["boot_id"] == facts.boot_id()
    assert 3500 < allowed["until_uptime_s"] - facts.uptime_s() <= 3600
    record = {"departure": None, "proved_at_s": 1_700_000_000}
    (host.directory / "state" / "boots-wakes.json").write_text(json.dumps(record))
    assert host.only("proof")["seen"] == "a wake of this node was seen: the boot of 2023-11-14 22:13 UTC"


def test_a_foreign_scalecodec_is_named(host: Host, mocker: MockerFixture) -> None:
    mocker.patch("importlib.metadata.packages_distributions", return_value={"scalecodec": ["scalecodec", "cyscale"]})
    found = host.only("software")
    assert "comes from cyscale too" in found["seen"]
    assert "pip uninstall cyscale" in found["remedy"]


def test_a_wrong_setting_is_the_one_finding(host: Host) -> None:
    host.settings["chain"]["timeout_s"] = "soon"
    code, found = host.check()
    assert code == 2
    assert [*found] == ["settings"]
    assert "chain.timeout_s: has to be a number, and is text in quotation marks" in found["settings"][0]["seen"]


def test_no_secret_is_shown(host: Host) -> None:
    host.settings["broker"]["url"] = "redis://powerd:s3cret@127.0.0.1:1"
    host.settings["chain"]["urls"] = ["ws://me:t0ken@127.0.0.1:1/k3y"]
    shown = host.run().output
    assert "broker.url = 127.0.0.1:1" in shown
    assert [secret for secret in ("s3cret", "t0ken", "k3y") if secret in shown] == []


@pytest.mark.parametrize("key", ["ab" * 32, f"0x{'ab' * 32}//hard", "abab " * 12], ids=["hex", "with a path", "words"])
def test_a_key_in_the_place_of_its_file_is_not_shown(host: Host, key: str) -> None:
    host.settings["identity"] = {"key_file": key}
    host.settings["faults"] = {"hook_command": ["curl", "https://example.org/t0ken"]}
    shown = host.run("--json").output
    assert "identity.key_file = (not shown)" in shown
    assert "the setting has the key itself" in shown
    assert "faults.hook_command = curl" in shown
    assert [secret for secret in ("abab", "t0ken") if secret in shown] == []


@pytest.mark.parametrize("columns", [40, 80])
def test_lines_fit_the_terminal(host: Host, columns: int) -> None:
    host.settings["nic"]["bridge"] = "br7"
    done = host.run(COLUMNS=str(columns))
    lines = done.output.splitlines()
    assert max(len(line) for line in lines) <= columns
    assert "\x1b" not in done.output
    assert "failed" in lines[-1] or "failed" in lines[-2]
    first = next(line for line in lines if "card" in line)
    assert first == "failed card" if columns == 40 else first.startswith("failed  card       there is no network")


def test_an_unknown_check_is_refused_with_the_list(host: Host) -> None:
    done = host.run("--only", "nic")
    assert done.exit_code == 2
    assert "there is no check 'nic'; there are settings," in " ".join(done.output.split())


def test_a_pipe_whose_reader_went_ends_it_quietly(host: Host) -> None:
    host.run()  # writes the file
    command = (
        f"{program('powerd')} --config {host.directory}/powerd.toml check --only settings | true; echo $PIPESTATUS"
    )
    done = subprocess.run(["bash", "-c", command], capture_output=True, text=True, timeout=patient(60))
    assert done.stdout == "141\n"
    assert done.stderr == ""


@pytest.mark.anyio
async def test_on_zero_os_its_daemons_are_asked() -> None:
    async with node_rig(profile="zos", start_neighbours=False) as node:

        def checked(time_s: float) -> tuple[int, dict[str, str]]:
            words = ["--profile", "zos", "--config", str(node.directory / "powerd.toml"), "check", "--json"]
            done = CliRunner().invoke(main, [*words, "--timeout", f"{time_s:.0f}s"], catch_exceptions=False)
            found = json.loads(done.stdout)["checks"]
            return done.exit_code, {each["check"]: f"{each['severity']}: {each['seen']}" for each in found}

        _, found = await asyncio.to_thread(checked, 1)
        assert found["registrar"] == found["gateway"] == "failed: no answer within 1 s"
        assert found["node"] == "skipped: it needs gateway"
        assert node.zos is not None
        await node.zos.start()
        _, found = await asyncio.to_thread(checked, patient(20))
        assert found["registrar"] == "ok: registrar answers: node 1"
        assert found["identityd"] == "ok: identityd answers: farm 1"
        assert found["gateway"] == "ok: api-gateway answers"
        assert found["power-off"] == "ok: zinit knows how to power off"
        assert found["node"].startswith("ok: node 1 of farm 1")
        assert found["wakers"].startswith("ok: node 2: target and state Up")
        assert found["endpoints"].startswith("not here")


@pytest.mark.anyio
async def test_on_zero_os_4_it_says_that_there_is_no_power_management() -> None:
    async with node_rig(profile="zos", start_neighbours=False) as node:
        assert node.zos is not None
        node.zos.gateway.arguments = (STAND_INS, "api-gateway-4", "--broker", node.redis.url())
        await node.zos.start()
        words = ["--profile", "zos", "--config", str(node.directory / "powerd.toml"), "check", "--json"]
        done = await asyncio.to_thread(CliRunner().invoke, main, [*words, "--timeout", f"{patient(20):.0f}s"])
    found = {each["check"]: f"{each['severity']}: {each['seen']}" for each in json.loads(done.stdout)["checks"]}
    assert found["gateway"].startswith("warning: this is Zero-OS 4, which has no power management")
    assert found["node"].startswith("ok: node 1 of farm 1")
    assert found["clock"].startswith("skipped")
    assert found["wakers"] == "ok: no node sleeps here: there is no power management"
    assert done.exit_code == 1
