"""The signing key hides its secret, and a refusal is understood in whatever words it comes."""

from __future__ import annotations

import pytest

from app.adapters.substrate.endpoint import name_of
from app.adapters.substrate.keys import SigningKey
from app.adapters.substrate.refusals import is_refusal, reason_of
from app.adapters.substrate.rpc_errors import RpcRefused

SEED = bytes(range(32))


def test_a_key_never_shows_its_seed() -> None:
    key = SigningKey(SEED, "ed25519")
    key.account_id  # noqa: B018 - loads the key pair
    for text in (repr(key), str(key), f"{key}", repr(key.keypair)):
        assert SEED.hex() not in text
        assert str(SEED) not in text


@pytest.mark.parametrize(
    ("key_type", "seed", "account"),
    [
        # RFC 8032, section 7.1, test 1.
        (
            "ed25519",
            "9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60",
            "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a",
        ),
        # Substrate's well-known account Alice.
        (
            "sr25519",
            "e5be9a5092b81bca64be81d212e7f2f9eba183bb7a90954f7b76361f6edb5c0a",
            "d43593c715fdd31c61141abd04a99fd6822c8558854ccde39a5684e7a56da27d",
        ),
    ],
)
def test_a_seed_makes_the_account_of_its_kind(key_type: str, seed: str, account: str) -> None:
    assert SigningKey(bytes.fromhex(seed), key_type).account_id.hex() == account


@pytest.mark.parametrize(("seed", "key_type"), [(bytes(31), "ed25519"), (bytes(64), "ed25519"), (SEED, "ecdsa")])
def test_what_is_no_key_is_refused(seed: bytes, key_type: str) -> None:
    with pytest.raises(ValueError, match=r"bytes|key type"):
        SigningKey(seed, key_type)


@pytest.mark.parametrize(
    ("message", "data", "reason"),
    [
        ("Invalid Transaction", "Transaction is outdated", "stale"),
        ("Invalid Transaction", {"invalid": {"stale": None}}, "stale"),
        ('{"invalid":{"stale":null}}', None, "stale"),
        ("Invalid Transaction", "InvalidTransaction::Stale", "stale"),
        ("Invalid Transaction", "Transaction has a bad signature", "badProof"),
        ('{"Invalid":"BadProof"}', None, "badProof"),
        ("Invalid Transaction", "Inability to pay some fees (e.g. account balance too low)", "payment"),
        ("Invalid Transaction", "Transaction has an ancient birth block", "ancientBirthBlock"),
        ("Invalid Transaction", "Transaction would exhaust the resources", "exhaustsResources"),
        ("Transaction is temporarily banned", None, "temporarilyBanned"),
        ("Transaction already imported", None, "alreadyImported"),
        ("Priority is too low: (1 vs 2)", "The transaction has too low priority", "priorityTooLow"),
        ("Unknown Transaction Validity", "NoUnsignedValidator", "noUnsignedValidator"),
        ("Something new", {"custom": 7}, "Something new: {'custom': 7} (1010)"),
    ],
)
def test_a_refusal_has_one_name_for_each_reason(message: str, data: object, reason: str) -> None:
    assert reason_of(RpcRefused("author_submitExtrinsic", 1010, message, data)) == reason


def test_only_the_pools_codes_are_refusals() -> None:
    assert is_refusal(RpcRefused("m", 1010, "Invalid Transaction"))
    assert not is_refusal(RpcRefused("m", -32601, "Method not found"))


@pytest.mark.parametrize("error", [{"code": 7, "message": "m"}, {}, None, "text", {"code": "x", "message": 1}])
def test_an_error_of_any_shape_becomes_text(error: object) -> None:
    assert str(RpcRefused.read("method", error))


@pytest.mark.parametrize(
    ("url", "name"),
    [
        ("wss://user:secret@chain.example:443/secret?token=secret", "wss://chain.example:443"),
        ("ws://[::1]:9944", "ws://[::1]:9944"),
        ("wss://chain.example", "wss://chain.example"),
    ],
)
def test_an_endpoint_is_called_by_scheme_host_and_port(url: str, name: str) -> None:
    assert name_of(url) == name
