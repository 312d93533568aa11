"""What a farmer says on the command line: which chain, whose key, which farm; who that is; and magic packets."""

from __future__ import annotations

import json
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from app.adapters.files.key_file import KeyFileError
from app.adapters.substrate.keys import DEVELOPMENT_PHRASE
from app.domain.model import Power
from app.entrypoints.farm.key_option import key_file_of
from tests.rigs.farmer import Farm, farm_of, here
from tests.rigs.terminal import Terminal

pytestmark = pytest.mark.timeout(180)

ALICE = "5GrwvaEF5zXb26Fz9rcQpDWS57CtERHpNehXCPcNoHGKutQY"
SEEN = "where every user of this machine can read it"


@pytest.fixture(scope="module")
def farm() -> Iterator[Farm]:
    with farm_of(3) as made:
        yield made


def key_of(farm: Farm) -> str:
    file: str = farm.chain.about["farmer"]["key_file"]
    return file


class TestWhoIsMeant:
    def test_chain_and_key_are_enough_and_the_farm_is_found_from_the_key(self, farm: Farm) -> None:
        for arguments in (
            ["--chain", farm.chain.url, "--key", key_of(farm), "list"],
            ["list", "--chain", farm.chain.url, "--key", key_of(farm)],
            ["--chain", "ws://127.0.0.1:9", "list", "--chain", farm.chain.url, "--farm", "1"],
        ):
            listed = here(*arguments)
            assert listed.exit_code == 0, listed.output
            assert listed.stdout.startswith("farm 1: 3 nodes")

    @pytest.mark.parametrize("form", ["hex", "0x", "piped"])
    def test_a_key_that_is_no_file_is_taken_and_its_danger_said(self, farm: Farm, form: str) -> None:
        seed = Path(key_of(farm)).read_text().strip()
        given, stdin = {"hex": (seed, ""), "0x": (f"0x{seed}", ""), "piped": ("-", f"{seed}\n")}[form]
        shown = here("whoami", "--chain", farm.chain.url, "--key", given, stdin=stdin)
        assert shown.exit_code == 0, shown.output
        assert farm.chain.about["farmer"]["address"] in shown.stdout
        assert (SEEN in shown.stderr) is (form != "piped")
        assert seed not in shown.output

    @pytest.mark.parametrize(("given", "warned"), [("//Alice", False), (f"{DEVELOPMENT_PHRASE}//Alice", True)])
    def test_a_mnemonic_and_a_derivation_path(self, farm: Farm, given: str, warned: bool) -> None:
        shown = here("whoami", "--chain", farm.chain.url, "--key", given)
        assert f"account   {ALICE} (sr25519)\n" in shown.stdout
        assert "twin      none on this chain" in shown.stdout
        assert "send it some TFT" in shown.stdout
        assert (SEEN in shown.stderr) is warned

    def test_it_is_typed_unseen_on_a_terminal(self, farm: Farm) -> None:
        seed = Path(key_of(farm)).read_text().strip()
        terminal = Terminal({}, "farm", "whoami", "--chain", farm.chain.url, "--key", "-")
        terminal.read_until(b"The farmer's key (hex seed, mnemonic or derivation path): ")
        terminal.answer(seed.encode() + b"\n")
        assert terminal.end() == 0
        assert farm.chain.about["farmer"]["address"].encode() in terminal.said
        assert seed.encode() not in terminal.said

    @pytest.mark.parametrize(
        ("given", "problem"),
        [
            ("abcd" * 8, "the key of --key has 32 hex digits instead of 64 or 128"),
            (" ".join(["zoo"] * 12), "the key of --key holds a mnemonic whose checksum does not fit"),
            ("no-such-file", "the key file no-such-file does not exist"),
            (" ", "the key file"),
        ],
    )
    def test_a_wrong_key_is_named_with_the_way_out_and_never_shown(self, farm: Farm, given: str, problem: str) -> None:
        refused = here("whoami", "--chain", farm.chain.url, "--key", given)
        assert refused.exit_code in (1, 2, KeyFileError.exit_code)
        last = refused.stderr.splitlines()[-1]
        assert problem in last
        assert given == " " or given == "no-such-file" or given not in refused.stderr

    def test_a_file_wins_over_what_looks_like_a_key(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.chdir(tmp_path)
        name = "ab" * 32
        assert key_file_of(name) is None
        (tmp_path / name).touch()
        assert key_file_of(name) == Path(name)

    def test_a_node_of_another_farm_than_the_named_one_is_refused(self, farm: Farm) -> None:
        refused = here("down", "2", "--farm", "7", "--chain", farm.chain.url, "--key", key_of(farm))
        assert refused.exit_code == 1
        assert "node 2 is of farm 1, and farm 7 was named" in refused.stderr


class TestWhoAmI:
    def test_it_says_what_the_account_can_pay(self, farm: Farm) -> None:
        told = json.loads(here("whoami", "--json", **farm.environment).stdout)
        assert told["account"] == farm.chain.about["farmer"]["address"]
        assert (told["twin"], told["farms"], told["key_type"]) == (1, [1], "sr25519")
        assert told["pays_for"] == int(told["balance_tft"] / told["fee_tft"])
        shown = here("whoami", **farm.environment).stdout
        assert f"which pays for {told['pays_for']:,} targets at {told['fee_tft']:g} TFT each" in shown

    def test_on_a_narrow_terminal_only_the_account_is_longer_than_a_line(self, farm: Farm) -> None:
        account, *lines = here("whoami", COLUMNS="40", **farm.environment).stdout.splitlines()
        assert farm.chain.about["farmer"]["address"] in account
        assert max(map(len, lines)) <= 40
        assert "which pays for" in " ".join(map(str.strip, lines))

    def test_nothing_is_sent(self, farm: Farm) -> None:
        before = farm.paid
        assert here("whoami", **farm.environment).exit_code == 0
        farm.ask("dev_newBlocks")
        assert farm.paid == before


class TestList:
    def test_on_forty_columns_it_is_a_block_a_node(self, farm: Farm) -> None:
        shown = here("list", **farm.environment, COLUMNS="40").stdout.splitlines()
        assert max(map(len, shown)) <= 40
        assert shown.index("node 2") == shown.index("node 1") + 11
        assert "  woken by      1, 3" in shown

    @pytest.mark.parametrize(("variables", "coloured"), [({}, True), ({"NO_COLOR": "1"}, False)])
    def test_on_a_terminal_it_has_colour_unless_that_is_not_wanted(
        self, farm: Farm, variables: dict[str, str], coloured: bool
    ) -> None:
        terminal = Terminal({**farm.environment, **variables}, "farm", "list")
        assert terminal.end() == 0
        assert b"nodes at risk: 0" in terminal.said
        assert (b"\x1b[32mUp" in terminal.said) is coloured

    def test_who_could_wake_it_and_what_it_misses_next(self) -> None:
        with farm_of(4) as farm:
            farm.ask("dev_newBlocks", 30)
            for node in (1, 2, 3):
                farm.says(node, Power.DOWN)
                farm.says(node, Power.UP)
            farm.sets("down", 3, 4)
            farm.says(3, Power.DOWN)
            farm.ask("dev_newBlocks", 2)
            nodes = farm.listed()["nodes"]
            assert [each["wakers"] for each in nodes] == [[2], [1], [1, 2], [1, 2]]
            assert [each["next_deadline"]["kind"] for each in nodes] == ["report", "report", "sleep", "report"]
            assert 23.9 * 3600 < nodes[2]["next_deadline"]["left_s"] <= 24 * 3600
            assert 0 < nodes[0]["next_deadline"]["left_s"] <= 41 * 60
            rows = here("list", **farm.environment).stdout.splitlines()
            (third,) = [row for row in rows if "of sleep" in row]
            assert third.split() == ["3", "24.0", "h", "of", "sleep", "-", "0", "1,", "2"]


def test_up_of_all_takes_those_that_are_not_up() -> None:
    with farm_of(3) as farm:
        everything = here("up", "--all", **farm.environment)
        assert (everything.exit_code, farm.paid) == (0, 0)
        assert everything.stdout == "farm 1: all nodes are up, and their targets are Up\n"
        farm.sets("down", 2, 3)
        farm.says(2, Power.DOWN)
        tried = here("up", "--all", "--dry-run", **farm.environment)
        assert tried.stdout.splitlines() == [f"node {node} of farm 1: target would be Up" for node in (2, 3)]
        assert here("up", "--all", **farm.environment).exit_code == 0
        assert farm.targets() == {1: "Up", 2: "Up", 3: "Up"}
        for wrong in (["up"], ["up", "1", "--all"]):
            refused = here(*wrong, **farm.environment)
            assert refused.exit_code == 2
            assert "--all" in refused.stderr


class TestWake:
    def test_packets_leave_this_machine_without_a_key(self, farm: Farm) -> None:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as heard:
            heard.bind(("127.0.0.1", 0))
            heard.settimeout(30)
            environment = {
                "POWERD_CHAIN_URLS": farm.chain.url,
                "POWERD_MAGIC_PACKETS_HOST": "127.0.0.1",
                "POWERD_MAGIC_PACKETS_PORT": str(heard.getsockname()[1]),
                "POWERD_WAKE_PACKETS": "2",
                "POWERD_WAKE_PACKET_INTERVAL_S": "0.01",
            }
            called = here("wake", "2", "3", "2", "--udp", **environment)
            assert called.exit_code == 0, called.output
            port = environment["POWERD_MAGIC_PACKETS_PORT"]
            way = f"on the interface that the system chooses, as UDP to 127.0.0.1:{port}"
            macs = {node: f"02:00:00:01:00:0{node}" for node in (2, 3)}
            *sent, proof = called.stdout.splitlines()
            assert sent == [f"node {n}: 2 magic packets to {macs[n]} {way}" for n in (2, 3)]
            assert proof.startswith("no machine answers a magic packet, so this proves no wake")
            packets = [heard.recv(200) for _ in range(4)]
            magic = {b"\xff" * 6 + 16 * bytes.fromhex(mac.replace(":", "")) for mac in macs.values()}
            assert set(packets) == magic
            assert packets[0] != packets[1]

    def test_an_address_is_called_while_the_chain_is_away(self) -> None:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as heard:
            heard.bind(("127.0.0.1", 0))
            heard.settimeout(30)
            called = here(
                *("wake", "--mac", "54-B2-03-A0-11-22", "--udp"),
                POWERD_CHAIN_URLS="ws://127.0.0.1:9",
                POWERD_MAGIC_PACKETS_HOST="127.0.0.1",
                POWERD_MAGIC_PACKETS_PORT=str(heard.getsockname()[1]),
                POWERD_WAKE_PACKETS="1",
            )
            assert called.exit_code == 0, called.output
            assert called.stdout.startswith("54:b2:03:a0:11:22: 1 magic packets on the interface that the system ")
            assert "this proves no wake" in called.stdout
            assert heard.recv(200) == b"\xff" * 6 + 16 * bytes.fromhex("54b203a01122")

    @pytest.mark.parametrize(
        ("words", "says"),
        [
            ((), "name the nodes, or their addresses with --mac"),
            (("7", "--mac", "54:b2:03:a0:11:22"), "not both"),
            (("--mac", "54:b2:03:a0:11"), "is not a MAC address such as 54:b2:03:a0:11:22"),
            (("--mac", "ff:ff:ff:ff:ff:ff"), "is a zero or group address"),
        ],
    )
    def test_nodes_or_addresses_of_cards_must_be_named(self, words: tuple[str, ...], says: str) -> None:
        refused = here("wake", *words, "--udp", POWERD_CHAIN_URLS="ws://127.0.0.1:9")
        assert refused.exit_code == 2
        assert says in refused.stderr

    def test_what_does_not_leave_is_named_with_the_way_out(self, farm: Farm) -> None:
        refused = here("wake", "2", "--interface", "nonesuch", POWERD_CHAIN_URLS=farm.chain.url)
        assert refused.exit_code == 1
        assert refused.stdout == ""
        assert "node 2: no magic packet can be sent on nonesuch" in refused.stderr
        assert "--udp" in refused.stderr

    def test_nothing_is_sent_when_one_of_the_nodes_is_unknown(self, farm: Farm) -> None:
        refused = here("wake", "2", "99", "--udp", POWERD_CHAIN_URLS=farm.chain.url)
        assert refused.exit_code == 1
        assert refused.stderr == "powerd: the chain knows no node 99: correct the id. No packet was sent\n"

    def test_a_node_that_is_wanted_down_and_one_without_an_address(self) -> None:
        with farm_of(2) as farm:
            farm.sets("down", 1)
            farm.ask("dev_cutRecord", 2, 40)
            farm.ask("dev_newBlocks")
            called = here(
                *("wake", "1", "2", "--udp"),
                **farm.environment,
                POWERD_MAGIC_PACKETS_HOST="127.0.0.1",
                POWERD_WAKE_PACKETS="1",
            )
            assert called.exit_code == 1
            assert called.stdout.startswith("node 1: 1 magic packets to ")
            assert "node 1: its target is Down, so that it goes to sleep again" in called.stderr
            assert "node 2: the record of node 2 can't be read" in called.stderr
