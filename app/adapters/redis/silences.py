"""Why a server did not answer, in plain words with a remedy, and without the libraries' terms."""

from __future__ import annotations

import os
import ssl
from collections.abc import Iterator

from app.adapters.redis.broker_url import BrokerUrl

LATE = "no answer"
NO_TLS = "if this port does not speak TLS, write redis:// in broker.url"
TLS = "if this port speaks TLS, write rediss:// in broker.url"
NO_TLS_REASONS = ("WRONG_VERSION_NUMBER", "RECORD_LAYER_FAILURE", "UNEXPECTED_EOF_WHILE_READING", "BAD_RECORD_TYPE")


def why_silent(error: BaseException, url: BrokerUrl, answer_s: float, *, ever: bool) -> str:
    """The reason, with a remedy. ``ever``: this server has answered before, so its URL is right."""
    reason = _reason(error, answer_s)
    hint = "" if ever or url.path else _hint(error, reason, tls=url.tls is not None)
    return f"{reason}; {hint}" if hint else reason


def _reason(error: BaseException, answer_s: float) -> str:
    for each in _causes(error):
        if isinstance(each, ssl.SSLCertVerificationError):
            return f"certificate verify failed: {each.verify_message.rstrip('.')}"
        if isinstance(each, ssl.SSLError):
            return f"the TLS handshake failed ({(each.reason or 'EOF').replace('_', ' ').lower()})"
        if isinstance(each, OSError) and each.errno and each.errno > 0:
            return os.strerror(each.errno)
    if str(error).startswith("Timeout"):
        return LATE
    return str(error).rstrip(".") or f"{LATE} within {answer_s:g} s"


def _hint(error: BaseException, reason: str, *, tls: bool) -> str:
    found = next((each for each in _causes(error) if isinstance(each, ssl.SSLError)), None)
    if isinstance(found, ssl.SSLCertVerificationError):
        if "mismatch" in reason:
            return "name the host as its certificate does, or add ssl_check_hostname=false to broker.url"
        return "name the authority that signed it: ?ssl_ca_certs=FILE in broker.url"
    # A server without TLS waits for the end of a command; one with TLS closes a connection without handshake.
    ended = any(word in reason for word in ("closed by", "reset by peer", "rotocol"))
    if not tls:
        return TLS if ended else ""
    odd = found is not None and (found.reason or NO_TLS_REASONS[0]) in NO_TLS_REASONS
    return NO_TLS if ended or odd or reason.startswith(LATE) else ""


def _causes(error: BaseException) -> Iterator[BaseException]:
    each: BaseException | None = error
    while each is not None:
        yield each
        each = each.__cause__ or (None if each.__suppress_context__ else each.__context__)
