"""Mnemonics and derivation paths make the accounts that Substrate's own tools make of them."""

from __future__ import annotations

from pathlib import Path

import pytest

from app.adapters.files.key_file import KeyFileError
from app.adapters.substrate.keys import DEVELOPMENT_PHRASE, SigningKey, secret_of
from app.entrypoints.settings.key_files import farmer_key
from app.entrypoints.settings.loading import load_settings
from app.entrypoints.settings.schema import Settings

ALICE = "e5be9a5092b81bca64be81d212e7f2f9eba183bb7a90954f7b76361f6edb5c0a"
LONG = (
    "void come effort suffer camp survey warrior heavy shoot primary clutch crush "
    "open amazing screen patrol group space point ten exist slush involve unfold"
)
"""One of the test vectors of BIP-39, 24 words."""


@pytest.mark.parametrize(
    ("phrase", "path", "password", "key_type", "address"),
    [
        # The development accounts, as every tool of Substrate shows them.
        ("", "//Alice", "", "sr25519", "5GrwvaEF5zXb26Fz9rcQpDWS57CtERHpNehXCPcNoHGKutQY"),
        (DEVELOPMENT_PHRASE, "//Bob", "", "sr25519", "5FHneW46xGXgs5mUiveU4sbTyGBzmstUspZC92UhjJM694ty"),
        ("", "", "", "sr25519", "5DfhGyQdFobKM8NsWvEeAKk5EQQgYe9AydgJ7rMB6E1EqRzV"),
        ("", "//Alice", "", "ed25519", "5FA9nQDVg267DEd8m1ZypXLBnvN7SFxYwV7ndqSYGiN9TTpu"),
        ("", "//Bob", "", "ed25519", "5GoNkf6WdbxCFnPdAnYYQyCjAKPJgLNxXwPjwTh6DGg6gN3E"),
        ("", "//Alice//stash", "", "sr25519", "5GNJqTPyNqANBkUVMN1LPPrxXnFouWXoe2wNSmmEoLctxiZY"),
        (ALICE, "", "", "sr25519", "5GrwvaEF5zXb26Fz9rcQpDWS57CtERHpNehXCPcNoHGKutQY"),
    ],
)
def test_it_is_the_account_that_other_tools_show(
    phrase: str, path: str, password: str, key_type: str, address: str
) -> None:
    assert SigningKey(secret_of(phrase, path, password, key_type), key_type).address == address


@pytest.mark.parametrize(("path", "password"), [("/soft", ""), ("//hard/soft", ""), ("//0", "p"), ("", "p")])
@pytest.mark.parametrize("phrase", [DEVELOPMENT_PHRASE, LONG])
def test_what_is_derived_signs_for_its_own_account(phrase: str, path: str, password: str) -> None:
    key = SigningKey(secret_of(phrase, path, password, "sr25519"), "sr25519")
    assert key.keypair.verify(b"hello", key.keypair.sign(b"hello"))
    assert key.address != SigningKey(secret_of(phrase, "", "", "sr25519"), "sr25519").address


@pytest.mark.parametrize(
    ("phrase", "path", "password", "key_type", "problem"),
    [
        (f"{DEVELOPMENT_PHRASE[:-4]}fit", "", "", "sr25519", "checksum does not fit"),
        (f"{DEVELOPMENT_PHRASE}k", "", "", "ed25519", "word 12 is not on the English list"),
        ("", "/soft", "", "ed25519", "soft step"),
        (ALICE, "", "pw", "sr25519", "only a mnemonic can have one"),
    ],
)
def test_a_wrong_one_is_refused_and_not_shown(
    tmp_path: Path, phrase: str, path: str, password: str, key_type: str, problem: str
) -> None:
    file = tmp_path / "farmer.key"
    file.write_text(f"{phrase}{path}{'///' if password else ''}{password}")
    file.chmod(0o600)
    over = {"farmer.key_file": str(file), "farmer.key_type": key_type}
    settings: Settings = load_settings(None, {}, over)
    with pytest.raises(KeyFileError, match=problem) as caught:
        farmer_key(settings)
    said = str(caught.value)
    assert str(file) in said
    assert not any(word in said.split() for word in phrase.split() if len(word) > 4)
    assert caught.value.__cause__ is None
    assert caught.value.__suppress_context__
