"""The dev chain answers the real client library as tfchain does."""

from __future__ import annotations

import json
import subprocess
import time
from collections.abc import Iterator
from typing import Any

import pytest
import websocket
from substrateinterface import Keypair, KeypairType, SubstrateInterface
from substrateinterface.exceptions import SubstrateRequestException

from app.entrypoints.demo.installation import program
from tests.rigs.chain.as_process import DevChain, dev_chain
from tests.slowness import patient


@pytest.fixture(scope="module")
def chain() -> Iterator[DevChain]:
    with dev_chain(nodes=3, block_time_s=0) as running:
        yield running


@pytest.fixture(scope="module")
def substrate(chain: DevChain) -> Iterator[SubstrateInterface]:
    with SubstrateInterface(url=chain.url, ws_options={"timeout": 10}) as client:
        client.init_runtime()
        yield client


def farmer(chain: DevChain) -> Keypair:
    return Keypair.create_from_seed(chain.farmer_seed, crypto_type=KeypairType.SR25519, ss58_format=42)


def node(chain: DevChain, number: int = 1) -> Keypair:
    return Keypair.create_from_seed(chain.node_seeds[number - 1], crypto_type=KeypairType.ED25519, ss58_format=42)


def send(substrate: SubstrateInterface, key: Keypair, call: str, arguments: dict[str, Any], **options: Any) -> Any:
    composed = substrate.compose_call("TfgridModule", call, arguments)
    extrinsic = substrate.create_signed_extrinsic(composed, key, **options)
    return substrate.submit_extrinsic(extrinsic, wait_for_inclusion=True)


def attributes(receipt: Any, event: str) -> Any:
    found = [record.value for record in receipt.triggered_events if record.value["event_id"] == event]
    assert len(found) == 1, [record.value["event_id"] for record in receipt.triggered_events]
    return found[0]["attributes"]


class TestStorage:
    @pytest.mark.parametrize(
        ("item", "key", "absent"),
        [
            ("Nodes", 999, None),
            ("Farms", 999, None),
            ("Twins", 999, None),
            ("TwinIdByAccountID", "5GrwvaEF5zXb26Fz9rcQpDWS57CtERHpNehXCPcNoHGKutQY", None),
            ("NodeIdByTwinID", 999, 0),
            ("NodesByFarmID", 999, []),
            ("NodePower", 999, {"state": "Up", "target": "Up"}),
        ],
    )
    def test_what_is_absent(self, substrate: SubstrateInterface, item: str, key: object, absent: object) -> None:
        assert substrate.query("TfgridModule", item, [key]).value == absent

    def test_a_farm_and_its_nodes(self, substrate: SubstrateInterface, chain: DevChain) -> None:
        def query(item: str, key: object) -> Any:
            return substrate.query("TfgridModule", item, [key]).value

        assert query("NodesByFarmID", 1) == [1, 2, 3]
        assert query("Farms", 1)["name"] == "farm-1"
        record = query("Nodes", 2)
        assert record["interfaces"][0]["name"] == "zos"
        assert record["interfaces"][0]["mac"] == chain.about["nodes"][1]["mac"]
        assert query("TwinIdByAccountID", node(chain, 2).ss58_address) == record["twin_id"]
        assert query("Twins", record["twin_id"])["account_id"] == node(chain, 2).ss58_address
        assert query("NodeIdByTwinID", record["twin_id"]) == 2

    def test_a_whole_map(self, substrate: SubstrateInterface) -> None:
        found = {
            key.value: record.value["id"] for key, record in substrate.query_map("TfgridModule", "Nodes", page_size=2)
        }
        assert found == {1: 1, 2: 2, 3: 3}

    def test_a_batch_of_one_block(self, substrate: SubstrateInterface) -> None:
        keys = [substrate.create_storage_key("TfgridModule", "NodesByFarmID", [farm]) for farm in (1, 999)]
        assert [value.value for _, value in substrate.query_multi(keys)] == [[1, 2, 3], []]


class TestCalls:
    def test_target_and_state_as_python_sees_them(self, substrate: SubstrateInterface, chain: DevChain) -> None:
        receipt = send(substrate, farmer(chain), "change_power_target", {"node_id": 1, "power_target": "Down"})
        assert attributes(receipt, "PowerTargetChanged") == {"farm_id": 1, "node_id": 1, "power_target": "Down"}
        receipt = send(substrate, node(chain), "change_power_state", {"power_state": "Down"}, era={"period": 16})
        number = substrate.get_block_number(receipt.block_hash)
        assert attributes(receipt, "PowerStateChanged") == {"farm_id": 1, "node_id": 1, "power_state": {"Down": number}}
        power = substrate.query("TfgridModule", "NodePower", [1]).value
        assert power == {"state": {"Down": number}, "target": "Down"}
        receipt = send(substrate, node(chain), "change_power_state", {"power_state": "Up"})
        assert attributes(receipt, "PowerStateChanged")["power_state"] == "Up"

    def test_uptime(self, substrate: SubstrateInterface, chain: DevChain) -> None:
        now = int(time.time())
        receipt = send(substrate, node(chain, 2), "report_uptime_v2", {"uptime": 77, "timestamp_hint": now})
        reported = attributes(receipt, "NodeUptimeReported")
        assert reported[0] == 2
        assert abs(reported[1] - now) <= 5
        assert reported[2] == 77

    @pytest.mark.parametrize(
        ("who", "call", "arguments", "error"),
        [
            ("node", "change_power_target", {"node_id": 2, "power_target": "Up"}, "UnauthorizedToChangePowerTarget"),
            ("farmer", "change_power_target", {"node_id": 99, "power_target": "Up"}, "NodeNotExists"),
            ("farmer", "change_power_state", {"power_state": "Up"}, "NodeNotExists"),
            ("farmer", "report_uptime", {"uptime": 1}, "NodeNotExists"),
            ("node", "report_uptime_v2", {"uptime": 1, "timestamp_hint": 1}, "InvalidTimestampHint"),
        ],
    )
    def test_errors_by_name(
        self, substrate: SubstrateInterface, chain: DevChain, who: str, call: str, arguments: Any, error: str
    ) -> None:
        receipt = send(substrate, farmer(chain) if who == "farmer" else node(chain, 2), call, arguments)
        assert not receipt.is_success
        assert receipt.error_message["name"] == error

    def test_how_a_farm_comes_to_be(self, substrate: SubstrateInterface, chain: DevChain) -> None:
        key = node(chain, 3)
        receipt = send(substrate, key, "create_farm", {"name": "second", "public_ips": [[]]})
        stored = attributes(receipt, "FarmStored")
        assert stored["name"] == "second"
        receipt = send(substrate, key, "user_accept_tc", {"document_link": "link", "document_hash": "hash"})
        assert receipt.is_success
        arguments = {
            "farm_id": stored["id"],
            "resources": {"hru": 1, "sru": 2, "cru": 3, "mru": 4},
            "location": {"city": "c", "country": "d", "latitude": "1", "longitude": "2"},
            "interfaces": [[{"name": "zos", "mac": "54:b2:03:a0:11:22", "ips": [["10.0.0.7"]]}]],
            "secure_boot": False,
            "virtualized": True,
            "serial_number": None,
        }
        receipt = send(substrate, farmer(chain), "create_node", arguments)
        created = attributes(receipt, "NodeStored")
        assert created["interfaces"] == [{"name": "zos", "mac": "54:b2:03:a0:11:22", "ips": ["10.0.0.7"]}]
        assert substrate.query("TfgridModule", "Nodes", [created["id"]]).value == created


class TestThePool:
    def submit(self, substrate: SubstrateInterface, extrinsic: Any) -> dict[str, Any]:
        with pytest.raises(SubstrateRequestException) as caught:
            substrate.submit_extrinsic(extrinsic)
        error: dict[str, Any] = caught.value.args[0]
        return error

    def sign(self, substrate: SubstrateInterface, key: Keypair, **options: Any) -> Any:
        call = substrate.compose_call("TfgridModule", "report_uptime", {"uptime": 1})
        return substrate.create_signed_extrinsic(call, key, **options)

    def test_a_used_nonce(self, substrate: SubstrateInterface, chain: DevChain) -> None:
        send(substrate, node(chain), "report_uptime", {"uptime": 1})
        error = self.submit(substrate, self.sign(substrate, node(chain), nonce=0))
        assert error["code"] == 1010
        assert "stale" in error["data"]

    def test_a_foreign_signature(self, substrate: SubstrateInterface, chain: DevChain) -> None:
        extrinsic = self.sign(substrate, node(chain))
        raw = bytearray(extrinsic.data.data)
        raw[40] ^= 1
        with pytest.raises(SubstrateRequestException) as caught:
            substrate.rpc_request("author_submitExtrinsic", ["0x" + raw.hex()])
        assert caught.value.args[0]["code"] == 1010
        assert "badProof" in caught.value.args[0]["data"]

    def test_an_era_that_is_over(self, substrate: SubstrateInterface, chain: DevChain) -> None:
        extrinsic = self.sign(substrate, node(chain), era={"period": 4, "current": substrate.get_block_number(None)})
        for _ in range(5):
            send(substrate, node(chain, 2), "report_uptime", {"uptime": 1})
        assert "badProof" in self.submit(substrate, extrinsic)["data"]

    def test_an_account_without_money_is_refused(self, substrate: SubstrateInterface) -> None:
        poor = Keypair.create_from_seed(b"\x07" * 32, ss58_format=42)
        assert "payment" in self.submit(substrate, self.sign(substrate, poor))["data"]

    def test_unsigned(self, substrate: SubstrateInterface) -> None:
        call = substrate.compose_call("TfgridModule", "report_uptime", {"uptime": 1})
        error = self.submit(substrate, substrate.create_unsigned_extrinsic(call))
        assert error["code"] == 1011
        assert "noUnsignedValidator" in error["data"]

    def test_a_future_nonce_is_taken(self, substrate: SubstrateInterface, chain: DevChain) -> None:
        nonce = substrate.get_account_nonce(node(chain).ss58_address) + 5
        assert substrate.submit_extrinsic(self.sign(substrate, node(chain), nonce=nonce)).extrinsic_hash


class TestJsonRpc:
    def ask(self, chain: DevChain, message: str) -> Any:
        connection = websocket.create_connection(chain.url, timeout=patient(20))
        try:
            connection.send(message)
            return json.loads(connection.recv())
        finally:
            connection.close()

    def test_an_unknown_method(self, chain: DevChain) -> None:
        answer = self.ask(chain, '{"id": 1, "jsonrpc": "2.0", "method": "nonsense", "params": []}')
        assert answer["error"]["code"] == -32601

    @pytest.mark.parametrize(("message", "code"), [("{", -32700), ("[1]", -32600), ('{"id": 1}', -32600)])
    def test_what_is_no_request(self, chain: DevChain, message: str, code: int) -> None:
        answer = self.ask(chain, message)
        assert (answer[0] if isinstance(answer, list) else answer)["error"]["code"] == code

    def test_wrong_parameters(self, chain: DevChain) -> None:
        message = {"id": 1, "jsonrpc": "2.0", "method": "state_getStorage", "params": ["0xzz"]}
        assert self.ask(chain, json.dumps(message))["error"]["code"] == -32602

    def test_a_batch(self, chain: DevChain) -> None:
        batch = [{"id": n, "jsonrpc": "2.0", "method": "chain_getBlockHash", "params": [n]} for n in (0, 10**6)]
        answers = self.ask(chain, json.dumps(batch))
        assert [answer["id"] for answer in answers] == [0, 10**6]
        assert answers[0]["result"].startswith("0x")
        assert answers[1]["result"] is None

    def test_an_unknown_block_is_an_error(self, chain: DevChain) -> None:
        message = {"id": 1, "jsonrpc": "2.0", "method": "chain_getBlock", "params": ["0x" + "ab" * 32]}
        assert self.ask(chain, json.dumps(message))["error"]["code"] == -32000


class TestBlockTime:
    def test_heads_finality_and_the_fate_of_an_extrinsic(self) -> None:
        with dev_chain(nodes=1, block_time_s=0.1, finality_lag=2) as chain:
            key = node(chain)
            with SubstrateInterface(url=chain.url, ws_options={"timeout": 10}) as substrate:
                call = substrate.compose_call("TfgridModule", "report_uptime", {"uptime": 1})
                extrinsic = substrate.create_signed_extrinsic(call, key)
                seen: list[Any] = []

                def watch(message: Any, *_: object) -> Any:
                    seen.append(message["params"]["result"])
                    return True if "finalized" in seen[-1] else None

                substrate.rpc_request("author_submitAndWatchExtrinsic", [str(extrinsic.data)], result_handler=watch)
                assert [next(iter(update)) if isinstance(update, dict) else update for update in seen] == [
                    "ready",
                    "inBlock",
                    "finalized",
                ]
                finalized = substrate.get_block_number(substrate.get_chain_finalised_head())
                best = substrate.get_block_number(substrate.get_chain_head())
                assert 1 <= best - finalized <= 4
                heads: list[int] = []

                def head(message: Any, *_: object) -> Any:
                    heads.append(int(message["params"]["result"]["number"], 16))
                    return True if len(heads) == 3 else None

                substrate.rpc_request("chain_subscribeFinalizedHeads", [], result_handler=head)
                assert heads == list(range(heads[0], heads[0] + 3))


def test_help_and_a_port_in_use(chain: DevChain) -> None:
    shown = subprocess.run([program("powerd-devchain"), "--help"], capture_output=True, text=True, check=True).stdout
    for option in ("--block-time-s", "--finality-lag", "--nodes", "--keys"):
        assert option in shown
    port = chain.url.rpartition(":")[2]
    taken = subprocess.run(
        [program("powerd-devchain"), "--port", port], capture_output=True, text=True, timeout=patient(30), check=False
    )
    assert taken.returncode == 1
    assert port in taken.stderr
    assert "Traceback" not in taken.stderr
