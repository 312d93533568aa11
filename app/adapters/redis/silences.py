"""Why a server did not answer, in plain words with a remedy, and without the libraries' terms."""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import TYPE_CHECKING

from app.adapters.redis.broker_url import BrokerUrl

if TYPE_CHECKING:
    from ssl import SSLError

LATE = "no answer"
UNVERIFIED = "certificate verify failed"
NO_TLS = "if this port does not speak TLS, write redis:// in broker.url"
TLS = "if this port speaks TLS, write rediss:// in broker.url"
NO_TLS_REASONS = ("WRONG_VERSION_NUMBER", "RECORD_LAYER_FAILURE", "UNEXPECTED_EOF_WHILE_READING", "BAD_RECORD_TYPE")


def why_silent(error: BaseException, url: BrokerUrl, answer_s: float, *, ever: bool) -> str:
    """The reason, with a remedy. ``ever``: this server has answered before, so its URL is right."""
    handshake = None if url.tls is None else _handshake(error)
    reason = _reason(error, handshake, answer_s)
    hint = "" if ever or url.path else _hint(handshake, reason, tls=url.tls is not None)
    return f"{reason}; {hint}" if hint else reason


def _handshake(error: BaseException) -> SSLError | None:
    """The error of TLS that led to ``error``."""
    import ssl  # 4 MiB, which is in memory wherever TLS is used

    return next((each for each in _causes(error) if isinstance(each, ssl.SSLError)), None)


def _reason(error: BaseException, handshake: SSLError | None, answer_s: float) -> str:
    if handshake is not None:
        unverified = getattr(handshake, "verify_message", None)
        if unverified is not None:
            return f"{UNVERIFIED}: {unverified.rstrip('.')}"
        return f"the TLS handshake failed ({(handshake.reason or 'EOF').replace('_', ' ').lower()})"
    for each in _causes(error):
        if isinstance(each, OSError) and each.errno and each.errno > 0:
            return os.strerror(each.errno)
    if str(error).startswith("Timeout"):
        return LATE
    return str(error).rstrip(".") or f"{LATE} within {answer_s:g} s"


def _hint(handshake: SSLError | None, reason: str, *, tls: bool) -> str:
    if reason.startswith(UNVERIFIED):
        if "mismatch" in reason:
            return "name the host as its certificate does, or add ssl_check_hostname=false to broker.url"
        return "name the authority that signed it: ?ssl_ca_certs=FILE in broker.url"
    # A server without TLS waits for the end of a command; one with TLS closes a connection without handshake.
    ended = any(word in reason for word in ("closed by", "reset by peer", "rotocol"))
    if not tls:
        return TLS if ended else ""
    odd = handshake is not None and (handshake.reason or NO_TLS_REASONS[0]) in NO_TLS_REASONS
    return NO_TLS if ended or odd or reason.startswith(LATE) else ""


def _causes(error: BaseException) -> Iterator[BaseException]:
    each: BaseException | None = error
    while each is not None:
        yield each
        each = each.__cause__ or (None if each.__suppress_context__ else each.__context__)
