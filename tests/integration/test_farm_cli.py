"""``powerd farm`` as a farmer runs it, against a dev chain: what is refused is refused before it is paid for (R14)."""

from __future__ import annotations

import re
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from app.domain.model import Power
from app.entrypoints.demo.installation import program
from tests.rigs.farmer import Farm, farm_of
from tests.rigs.program_runs import run
from tests.rigs.terminal import INTERRUPT, Terminal

pytestmark = pytest.mark.timeout(180)

ALICE = "5GrwvaEF5zXb26Fz9rcQpDWS57CtERHpNehXCPcNoHGKutQY"


@pytest.fixture
def farm() -> Iterator[Farm]:
    with farm_of(3) as made:
        yield made


def test_down_and_up_again(farm: Farm) -> None:
    down = farm.run("down", "2", "3", "2")
    assert down.returncode == 0, down.stderr
    told = sorted(row.split(" since")[0] for row in down.stdout.splitlines())
    assert told == ["node 2: target Down", "node 3: target Down"]
    assert farm.targets() == {1: "Up", 2: "Down", 3: "Down"}
    again = farm.run("down", "2")
    assert (again.returncode, again.stdout) == (0, "node 2: target Down already\n")
    up = farm.run("up", "2")
    assert up.returncode == 0, up.stderr
    assert "already" not in up.stdout
    assert farm.paid == 3


def test_a_second_up_is_sent_since_it_calls_the_node_and_what_it_costs_is_said(farm: Farm) -> None:
    for options, paid in ((["--dry-run"], 0), ([], 1)):
        up = farm.run("up", "2", *options)
        said = "node 2: target Up already; to set it again costs about 0.001 TFT, and makes its peers call it once more"
        assert (up.returncode, up.stdout.splitlines()[0]) == (0, said)
        assert farm.paid == paid


@pytest.mark.parametrize(
    ("nodes", "words"),
    [
        (["2", "99"], "the chain knows no node 99"),
        (["1", "2", "3"], "no other node of the farm would be awake"),
    ],
)
def test_nothing_is_paid_when_one_of_the_nodes_must_not_go_down(farm: Farm, nodes: list[str], words: str) -> None:
    refused = farm.run("down", *nodes)
    assert refused.returncode == 1
    assert words in refused.stderr
    assert "othing was changed" in refused.stderr
    assert farm.paid == 0


def test_a_node_with_active_contracts_stays_up(farm: Farm) -> None:
    farm.ask("dev_contracts", 2, 1)
    farm.ask("dev_newBlocks")
    for options in ([], ["--dry-run"]):
        refused = farm.run("down", "2", "3", *options)
        assert refused.returncode == 1
        assert "node 2 has an active contract: a customer's workload would stop" in refused.stderr
    assert farm.paid == 0
    forced = farm.run("down", "2", "3", "--force")
    # This runtime refuses it too; that of 2023 did not.
    assert forced.returncode == 1
    assert "NodeHasActiveContracts" in forced.stderr
    assert "1 of 2 failed: node 2" in forced.stderr
    assert forced.stdout.startswith("node 3: target Down")


def test_a_farm_of_one_node_is_not_darkened() -> None:
    with farm_of(1) as farm:
        refused = farm.run("down", "1")
        assert refused.returncode == 1
        assert "node 1 is the farm's only node" in refused.stderr
        assert farm.paid == 0
        assert farm.run("down", "1", "--force").returncode == 0


def test_up_says_so_when_no_node_is_awake_to_wake_anything(farm: Farm) -> None:
    assert farm.run("down", "1", "2", "3", "--force").returncode == 0
    for node in (1, 2, 3):
        farm.says(node, Power.DOWN)
    up = farm.run("up", "1", "2", "--wait")
    assert up.returncode == 1
    assert "no node is awake that can wake node 1: press its power button" in up.stderr
    assert "no node is awake that can wake node 2: press its power button" in up.stderr
    assert farm.targets() == {1: "Up", 2: "Up", 3: "Down"}
    farm.says(1, Power.UP)
    assert farm.run("up", "2").returncode == 0


def test_a_dry_run_says_what_would_be_done(farm: Farm) -> None:
    tried = farm.run("down", "3", "--dry-run")
    assert (tried.returncode, tried.stdout) == (0, "node 3 of farm 1: target would be Down\n")
    assert farm.paid == 0


def test_a_failure_is_named_and_the_others_go_on(farm: Farm) -> None:
    farm.ask("dev_refuseExtrinsics", "badProof", 1)
    down = farm.run("down", "2", "3")
    assert down.returncode == 1
    assert "node 2: " in down.stderr
    assert "1 of 2 failed: node 2" in down.stderr
    assert farm.targets() == {1: "Up", 2: "Up", 3: "Down"}


def test_many_nodes_take_few_blocks() -> None:
    with farm_of(41, block_time_s=2.0) as farm:
        down = farm.run("down", *(str(node) for node in range(2, 42)))
        assert down.returncode == 0, down.stderr
        rows = down.stdout.splitlines()
        assert len(rows) == len({row.split(":")[0] for row in rows}) == farm.paid == 40
        assert len({row.rpartition(" ")[2] for row in rows}) <= 20
        listed = farm.run("list").stdout.splitlines()
        assert sum(" Down " in row for row in listed) == 40


class TestKeys:
    def test_a_key_without_twin_or_balance_is_named_by_its_account(self, farm: Farm, tmp_path: Path) -> None:
        file = tmp_path / "farmer.key"
        file.write_text("//Alice\n")
        file.chmod(0o600)
        for command in (["down", "2"], ["up", "2"], ["list"]):
            refused = farm.run(*command, POWERD_FARMER_KEY_FILE=str(file))
            assert refused.returncode == 1
            assert f"account {ALICE}, which has no twin on this chain" in refused.stderr

    def test_a_key_of_another_twin_is_named_with_both_twins(self, farm: Farm) -> None:
        node = farm.chain.about["nodes"][1]
        refused = farm.run(*("down", "3"), POWERD_FARMER_KEY_FILE=node["key_file"], POWERD_FARMER_KEY_TYPE="ed25519")
        assert refused.returncode == 1
        for words in (node["address"], "node 3 is of farm 1, which twin 1 owns", "nothing was changed"):
            assert words in refused.stderr or words.capitalize() in refused.stderr

    def test_an_account_that_cannot_pay_is_named(self, farm: Farm) -> None:
        farm.ask("dev_refuseExtrinsics", "payment", 9)
        refused = farm.run("up", "2")
        assert refused.returncode == 1
        assert farm.chain.about["farmer"]["address"] in refused.stderr
        assert "TFT" in refused.stderr

    def test_no_key_no_farm_no_chain(self, farm: Farm) -> None:
        url = {"POWERD_CHAIN_URLS": farm.chain.url}
        assert "farmer.key_file" in run("farm", "up", "1", **url).stderr
        assert "--farm" in run("farm", "list", **url).stderr
        assert "77" in run("farm", "list", "--farm", "77", **url).stderr
        assert run("farm", "up", "4294967296", **url).returncode == 2
        away = run("farm", "list", "--farm", "1", POWERD_CHAIN_URLS="ws://127.0.0.1:9")
        assert away.returncode == 1
        assert "127.0.0.1:9" in away.stderr

    def test_a_node_lists_its_own_farm(self, farm: Farm) -> None:
        key = farm.chain.about["nodes"][0]["key_file"]
        listed = run("farm", "list", POWERD_CHAIN_URLS=farm.chain.url, POWERD_IDENTITY_KEY_FILE=key)
        assert listed.stdout.startswith("farm 1: 3 nodes")


class TestList:
    def test_who_is_at_risk_and_why(self) -> None:
        with farm_of(4) as farm:
            assert farm.run("down", "2").returncode == 0
            farm.ask("dev_newBlocks", 40)
            farm.ask("dev_shiftClock", 3600)
            farm.says(2, Power.DOWN)
            farm.says(1, Power.UP)  # changes nothing, and is a sign of life
            farm.ask("dev_newBlocks", 20)
            farm.ask("dev_cutRecord", 4, 40)
            shown = farm.run("list")
            assert shown.returncode == 0, shown.stderr
            rows = shown.stdout.splitlines()
            assert [row for row in rows[:6] if len(row) > 80] == []
            by_node = {row.split()[0]: row for row in rows[2:6]}
            assert "AT RISK" not in by_node["1"] + by_node["2"]
            assert by_node["2"].split()[1:3] == ["Down", "Down"]
            assert by_node["3"].endswith("AT RISK")
            assert by_node["4"].endswith("?                  AT RISK")
            assert any("node 3: no sign of life for" in row for row in rows)
            assert any(
                "node 4: its peers may not know its address: the record of node 4 can't be read" in row for row in rows
            )
            assert rows[-1] == "nodes at risk: 2"
            listed = farm.listed()
            assert listed["nodes_at_risk"] == 2
            second = listed["nodes"][1]
            assert abs(second["since_s"] - time.time() - 3600) < 120
            # Whose node 4 is shows from the farm's list of nodes, too.
            assert farm.run("up", "4").returncode == 0
            # The silent node does not count as awake: node 1 is the last.
            refused = farm.run("down", "1")
            assert "no other node of the farm would be awake" in refused.stderr


class TestWaiting:
    def test_it_waits_until_the_state_follows(self, farm: Farm) -> None:
        process = subprocess.Popen(
            [program("powerd"), "farm", "down", "3", "--wait"],
            env=farm.environment,
            stdout=subprocess.PIPE,
            text=True,
        )
        with process:
            assert process.stdout is not None
            assert process.stdout.readline().startswith("node 3: target Down since block")
            farm.says(3, Power.DOWN)
            assert process.stdout.readline() == "node 3: Down\n"
        assert process.returncode == 0

    def test_what_does_not_follow_in_time_is_named(self, farm: Farm) -> None:
        late = farm.run("down", "3", "--wait", "--timeout", "1s")
        assert late.returncode == 1
        assert "node 3: its state is not Down after 1 s" in late.stderr
        assert "`powerd status` on the node says what keeps it up" in late.stderr

    @pytest.mark.parametrize("command", ["up", "down"])
    def test_a_time_out_that_would_be_ignored_or_is_none_is_refused(self, command: str) -> None:
        ignored = run("farm", command, "1", "--timeout", "5m")
        assert ignored.returncode == 2
        assert "--wait" in ignored.stderr
        wrong = run("farm", command, "1", "--wait", "--timeout", "soon")
        assert wrong.returncode == 2
        assert "'soon' is no duration" in wrong.stderr


@pytest.mark.parametrize(("answer", "code", "paid"), [(b"n\n", 1, 0), (b"y\n", 0, 1), (INTERRUPT, 130, 0)])
def test_on_a_terminal_it_asks_before_it_darkens_anything(farm: Farm, answer: bytes, code: int, paid: int) -> None:
    terminal = Terminal(farm.environment, "farm", "down", "3")
    terminal.read_until(b"Set the power target of node 3 to Down? [y/N]")
    terminal.answer(answer)
    assert terminal.end() == code
    assert farm.paid == paid


def test_what_changed_while_it_asked_is_seen(farm: Farm) -> None:
    terminal = Terminal(farm.environment, "farm", "down", "3")
    terminal.read_until(b"[y/N]")
    farm.ask("dev_contracts", 3, 1)
    farm.ask("dev_newBlocks")
    terminal.answer(b"y\n")
    assert terminal.end() == 1
    assert b"node 3 has an active contract" in terminal.said
    assert farm.paid == 0


def test_on_a_terminal_a_line_counts_while_it_waits_and_never_wraps(farm: Farm) -> None:
    terminal = Terminal(farm.environment, "farm", "down", "2", "3", "--yes", "--wait", columns=20)
    terminal.read_until(b"\x1b[Kwaiting for ")
    terminal.answer(INTERRUPT)
    assert terminal.end() == 130
    lines = re.findall(rb"\x1b\[K(waiting[^\r^]*)", terminal.said)
    assert max(map(len, lines)) <= 19


def test_on_a_terminal_a_line_counts_while_it_waits(farm: Farm) -> None:
    terminal = Terminal(farm.environment, "farm", "down", "2", "3", "--yes", "--wait")
    terminal.read_until(b": 0 of 2 nodes Down")
    farm.says(2, Power.DOWN)
    terminal.read_until(b": 1 of 2 nodes Down")
    farm.says(3, Power.DOWN)
    assert terminal.end() == 0
    assert b"[y/N]" not in terminal.said


def test_r14_two_commands_at_once_do_not_darken_the_farm_in_silence() -> None:
    """Each leaves the other's node awake when it looks; at least one of them must see the result of both."""
    with farm_of(2, block_time_s=1) as farm:
        commands = [
            subprocess.Popen(
                [program("powerd"), "farm", "down", str(node)],
                env=farm.environment,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                text=True,
            )
            for node in (1, 2)
        ]
        said = [command.communicate(timeout=120)[1] for command in commands]
        codes = [command.returncode for command in commands]
        assert max(codes) == 1, said
        if set(farm.targets().values()) == {"Down"}:
            assert "no node with target Up is left that could wake the others" in "".join(said)
            assert "powerd farm up" in "".join(said)
