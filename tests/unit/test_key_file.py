"""A key is read from a file only its owner can read; whatever is wrong is named, never the key."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest

from app.adapters.files.key_file import KeyFileAway, KeyFileError, SecretUri, objection, read_key
from app.adapters.files.key_text import parse_key

SEED = bytes(range(200, 232))
PUBLIC = bytes(range(32))
PHRASE = b"bottom drive obey lake curtain smoke basket hold race lonely fit walk"


@pytest.fixture
def key_file(tmp_path: Path) -> Path:
    path = tmp_path / "node.key"
    path.write_text(SEED.hex())
    path.chmod(0o600)
    return path


@pytest.mark.parametrize(
    "content",
    [
        SEED.hex().encode(),
        b"0x" + SEED.hex().upper().encode() + b"\n",
        b" \n" + SEED.hex().encode() + b"\r\n",
        b"0X" + SEED.hex().encode(),
        b"\xef\xbb\xbf" + SEED.hex().encode() + b"\r\n",
        f"\u00a0{SEED.hex()}\u00a0\u200b\n".encode(),
        (SEED + PUBLIC).hex().encode(),
        b"0x" + (SEED + PUBLIC).hex().encode(),
        SEED + PUBLIC,
    ],
)
def test_every_form_gives_the_same_seed(content: bytes) -> None:
    assert parse_key(content) == SecretUri(SEED.hex())


def test_a_raw_key_that_ends_like_white_space_is_taken_whole() -> None:
    assert parse_key(b"\n" + SEED[1:] + PUBLIC[:31] + b" ") == SecretUri((b"\n" + SEED[1:]).hex())


@pytest.mark.parametrize(
    ("content", "parts"),
    [
        (PHRASE, (PHRASE.decode(), "", "")),
        (b"  " + PHRASE.upper().replace(b" ", b"\r\n") + b"\n", (PHRASE.decode(), "", "")),
        (b"\xef\xbb\xbf" + PHRASE.replace(b" ", "\u00a0".encode()), (PHRASE.decode(), "", "")),
        (b"\xef\xbb\xbf//" + b"A" * 59, ("", "//" + "A" * 59, "")),
        (b"0X" + SEED.hex().encode() + b"//0", (SEED.hex(), "//0", "")),
        (PHRASE * 2, None),
        (b" ".join([PHRASE, PHRASE]), (f"{PHRASE.decode()} {PHRASE.decode()}", "", "")),
        (b"//Alice\n", ("", "//Alice", "")),
        (PHRASE + b"//hard/soft///pass/word", (PHRASE.decode(), "//hard/soft", "pass/word")),
        (b"0x" + SEED.hex().encode() + b"//0", (SEED.hex(), "//0", "")),
    ],
)
def test_words_and_derivation_paths_are_taken_apart(content: bytes, parts: tuple[str, str, str] | None) -> None:
    if parts is None:
        with pytest.raises(ValueError, match="holds 23 words, and a mnemonic has 12, 15, 18, 21 or 24"):
            parse_key(content)
    else:
        assert parse_key(content) == SecretUri(*parts)


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (b"", "is empty"),
        (b" \n\t", "is empty"),
        (SEED.hex().encode()[:-1], "has 63 hex digits instead of 64 or 128"),
        (b"0x" + SEED.hex().encode()[2:], "has 62 hex digits instead of 64 or 128"),
        (b"one two three", "holds 3 words, and a mnemonic has 12"),
        (PHRASE + b"/", "has a derivation path that powerd cannot read; write it as //hard/soft"),
        (b"//", "has a derivation path that powerd cannot read"),
        (b"correct-horse//0", "holds no key"),
        (SEED.hex().encode()[2:] + b"//0", "has 62 hex digits instead of 64 or 128"),
        ("zw\u00f6lf ".encode() * 12, "holds no key"),
        (b"0x", "holds"),
        (SEED, "holds no key"),
        (SEED + PUBLIC + b"\n", "holds no key"),
        (b"correct-horse", "holds no key"),
        (b"x" * 64, "holds no key"),
        (b'"' + SEED.hex().encode() + b'"', "is in quotes"),
        (b"'" + PHRASE + b"'\n", "is in quotes"),
        (b"# the node's key\n" + SEED.hex().encode(), "begins with #"),
        (SEED.hex().encode() + b"\r\n# the node's key", "begins with #"),
        (SEED.hex().encode().replace(b"c9", b"c9 "), "blanks or line ends between"),
        (b"0x" + b"g" * 64, "a character after 0x is no hex digit"),
        (b'{"secretSeed": "0x' + SEED.hex().encode() + b'"}', "it is JSON"),
        (b"-----BEGIN PRIVATE KEY-----\nMC4C", "PEM"),
        (b"SEED=" + SEED.hex().encode(), "a name in front of the key"),
        (SEED.hex().encode("utf-16"), "UTF-16"),
        (b"\n" + SEED.hex().encode() + "\n\u00e9".encode(), "a character in line 2 is not ASCII"),
    ],
)
def test_anything_else_is_refused_without_being_shown(key_file: Path, content: bytes, problem: str) -> None:
    key_file.write_bytes(content)
    with pytest.raises(KeyFileError, match=problem) as caught:
        read_key(key_file)
    text = str(caught.value)
    assert str(key_file) in text
    assert "seed in hex" in text
    assert len(content) < 4 or content.decode("latin-1") not in text
    assert caught.value.__cause__ is None


def test_a_good_file_is_read(key_file: Path) -> None:
    assert read_key(key_file) == SecretUri(SEED.hex())
    key_file.chmod(0o400)
    assert read_key(key_file) == SecretUri(SEED.hex())


def test_a_key_never_shows() -> None:
    for key in (SecretUri(SEED.hex()), SecretUri(SEED.hex(), f"//{SEED.hex()}", repr(SEED))):
        check_that_it_hides(key)


def check_that_it_hides(key: object) -> None:
    for shown in (repr(key), str(key), f"{key}", repr([key])):
        assert f"{type(key).__name__}(" in shown
        assert SEED.hex() not in shown
        assert repr(SEED) not in shown


@pytest.mark.parametrize("mode", [0o640, 0o620, 0o604, 0o602, 0o644, 0o666, 0o610])
def test_a_file_others_can_get_at_is_refused_with_its_mode_and_the_remedy(key_file: Path, mode: int) -> None:
    key_file.chmod(mode)
    with pytest.raises(KeyFileError) as caught:
        read_key(key_file)
    assert f"{key_file} has mode {mode:04o}" in str(caught.value)
    assert f"chmod 600 {key_file}" in str(caught.value)


def test_the_file_behind_a_link_counts(key_file: Path) -> None:
    link = key_file.with_name("link")
    link.symlink_to(key_file)
    assert read_key(link) == SecretUri(SEED.hex())
    key_file.chmod(0o644)
    with pytest.raises(KeyFileError, match="0644"):
        read_key(link)


class TestCredentials:
    """systemd's own: readable for the group, as long as they lie in its directory."""

    def test_may_be_readable_for_the_group(self, key_file: Path) -> None:
        key_file.chmod(0o440)
        assert read_key(key_file, key_file.parent) == SecretUri(SEED.hex())

    @pytest.mark.parametrize("mode", [0o460, 0o444, 0o442])
    def test_may_not_be_open_any_further(self, key_file: Path, mode: int) -> None:
        key_file.chmod(mode)
        with pytest.raises(KeyFileError, match=f"mode {mode:04o}"):
            read_key(key_file, key_file.parent)

    def test_a_file_elsewhere_gains_nothing_by_them(self, key_file: Path) -> None:
        key_file.chmod(0o440)
        with pytest.raises(KeyFileError, match="0440"):
            read_key(key_file, key_file.parent / "credentials")


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(KeyFileAway, match=r"key file .*absent\.key does not exist"):
        read_key(tmp_path / "absent.key")


def test_a_file_that_cannot_be_opened_is_named_with_the_remedy(tmp_path: Path) -> None:
    loop = tmp_path / "loop"
    loop.symlink_to(loop)
    with pytest.raises(KeyFileError, match=rf"{loop} can't be read \(.*chown {os.geteuid()} "):
        read_key(loop)


def test_a_directory_and_a_pipe_are_refused_at_once(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe, 0o600)
    for path in (tmp_path, pipe, Path(os.devnull)):
        with pytest.raises(KeyFileError, match="no regular file"):
            read_key(path)


def test_a_large_file_is_refused_unread(key_file: Path) -> None:
    key_file.write_bytes(b"\n" * 4096)
    with pytest.raises(KeyFileError, match="is empty"):
        read_key(key_file)
    key_file.write_bytes(b"\n" * 4097)
    with pytest.raises(KeyFileError, match="4097 bytes"):
        read_key(key_file)


def owned_by(user: int) -> os.stat_result:
    return os.stat_result((stat.S_IFREG | 0o600, 1, 1, 1, user, user, 64, 0, 0, 0))


def test_a_file_of_another_user_is_refused_but_not_one_of_root() -> None:
    assert objection(owned_by(1000), 1000, in_credentials=False) == ""
    assert objection(owned_by(0), 1000, in_credentials=False) == ""
    assert "`chown 0 {path}`" in objection(owned_by(1000), 0, in_credentials=False)


@pytest.mark.parametrize("key", ["abandon " * 11 + "about", "0x" + "ab" * 32, "ab" * 64])
def test_a_key_in_the_place_of_a_file_name_is_not_shown_and_ends_for_good(key: str) -> None:
    with pytest.raises(KeyFileError) as failure:
        read_key(Path(key))
    assert "has the key itself instead of the name of its file" in str(failure.value)
    assert key.strip() not in str(failure.value)
    assert failure.value.exit_code == 78
