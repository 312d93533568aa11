"""Takes signed extrinsics apart, and checks who signed what (Substrate's extrinsic format, version 4)."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass

from app.adapters.simulated.ledger import InvalidTransaction, Ledger
from app.entrypoints.devchain.scale import compact

SIGNED_V4 = 0x84
UNSIGNED_V4 = 0x04
ADDRESS_ID = 0
ED25519, SR25519 = 0, 1
LONG_PAYLOAD = 256


class Unsigned(Exception):
    """An extrinsic without a signature, which the chain refuses."""


@dataclass(frozen=True, slots=True)
class Signed:
    """The parts of a signed extrinsic; ``extra`` is era, nonce and tip as they stand on the wire."""

    account: bytes
    scheme: int
    signature: bytes
    extra: bytes
    era: int
    nonce: int
    call: bytes


class _Bytes:
    """Reads values one after the other."""

    def __init__(self, data: bytes) -> None:
        self.data = data
        self.at = 0

    def take(self, count: int) -> bytes:
        if self.at + count > len(self.data):
            raise InvalidTransaction("badProof")
        self.at += count
        return self.data[self.at - count : self.at]

    def compact(self) -> int:
        first = self.take(1)[0]
        mode = first & 3
        if mode == 3:
            return int.from_bytes(self.take((first >> 2) + 4), "little")
        rest = self.take((0, 1, 3)[mode])
        return int.from_bytes(bytes([first]) + rest, "little") >> 2


def parse(raw: bytes) -> Signed:
    """The parts of an extrinsic. Raises `Unsigned`, or `InvalidTransaction` if it is no extrinsic."""
    reader = _Bytes(raw)
    reader.compact()
    version = reader.take(1)[0]
    if version == UNSIGNED_V4:
        raise Unsigned
    if version != SIGNED_V4 or reader.take(1)[0] != ADDRESS_ID:
        raise InvalidTransaction("badProof")
    account = reader.take(32)
    scheme = reader.take(1)[0]
    signature = reader.take(64)
    start = reader.at
    era = reader.take(1)[0]
    if era:
        era |= reader.take(1)[0] << 8
    nonce = reader.compact()
    reader.compact()
    extra = raw[start : reader.at]
    return Signed(account, scheme, signature, extra, era, nonce, raw[reader.at :])


def check(signed: Signed, ledger: Ledger, spec_version: int, transaction_version: int) -> int | None:
    """The last block of its era (None: immortal). `InvalidTransaction` (``badProof``) if the signature is not right.

    A signature covers the hash of the block in which its era began, so one whose era is over, or
    that was made for another chain, does not verify.
    """
    genesis = ledger.block(0)
    birth, dies_after = (0, None) if not signed.era else _lifetime(signed.era, ledger.best_number + 1)
    born = ledger.block(birth)
    if genesis is None or born is None:
        raise InvalidTransaction("badProof")
    payload = (
        signed.call
        + signed.extra
        + spec_version.to_bytes(4, "little")
        + transaction_version.to_bytes(4, "little")
        + bytes.fromhex(genesis.hash[2:])
        + bytes.fromhex(born.hash[2:])
    )
    if len(payload) > LONG_PAYLOAD:
        payload = hashlib.blake2b(payload, digest_size=32).digest()
    if not _verify(signed, payload):
        raise InvalidTransaction("badProof")
    return dies_after


def inherent(time_ms: int) -> bytes:
    """The extrinsic by which a block's author sets the time: the first of every block."""
    body = bytes([UNSIGNED_V4, 1, 0]) + compact(time_ms)
    return compact(len(body)) + body


def hash_of(raw: bytes) -> str:
    return "0x" + hashlib.blake2b(raw, digest_size=32).hexdigest()


def _lifetime(era: int, current: int) -> tuple[int, int]:
    """First and last block of a mortal era (sp_runtime::generic::Era)."""
    period = 2 << (era % 16)
    phase = (era >> 4) * max(period >> 12, 1)
    birth = (max(current, phase) - phase) // period * period + phase
    return birth, birth + period - 1


def _verify(signed: Signed, payload: bytes) -> bool:
    import ed25519_zebra
    import sr25519

    schemes: dict[int, Callable[[bytes, bytes, bytes], bool]] = {
        ED25519: ed25519_zebra.ed_verify,
        SR25519: sr25519.verify,
    }
    try:
        return signed.scheme in schemes and schemes[signed.scheme](signed.signature, payload, signed.account)
    except ValueError:
        return False
