"""Why a connection to an endpoint failed, in plain words with a remedy, and without the libraries' terms."""

from __future__ import annotations

import json
import os
import socket
import ssl
from http import HTTPStatus

REASON_CHARS_MAX = 200

IF_TLS = "if this port speaks TLS, write wss:// and not ws:// in chain.urls"
REMEDIES: dict[int, str] = {
    HTTPStatus.BAD_REQUEST: IF_TLS,
    HTTPStatus.UNAUTHORIZED: "give user and password in chain.urls: wss://USER:PASSWORD@HOST",
    HTTPStatus.FORBIDDEN: "give user and password in chain.urls: wss://USER:PASSWORD@HOST, or name another endpoint",
    HTTPStatus.NOT_FOUND: "correct the path in chain.urls",
    HTTPStatus.TOO_MANY_REQUESTS: "it gets too many requests: name more endpoints in chain.urls",
}
BEHIND_AWAY = "the chain node behind it does not answer: wait, or name another endpoint in chain.urls"
MOVED = "name that one in chain.urls"
NO_TLS = "this port does not speak TLS: write ws:// and not wss:// in chain.urls"
NO_TLS_REASONS = ("WRONG_VERSION_NUMBER", "RECORD_LAYER_FAILURE", "HTTP_REQUEST")
SELF_SIGNED = "name the authority that signed it (environment variable SSL_CERT_FILE)"


def why_ended(error: Exception, *, opened: bool) -> str:
    """One line, without the peer's own text. ``opened``: whether the WebSocket was open before."""
    from websocket import WebSocketBadStatusException, WebSocketTimeoutException

    match error:
        case WebSocketBadStatusException():
            return _of_status(error.status_code)
        case ssl.SSLCertVerificationError():
            return f"its certificate is not accepted: {error.verify_message.rstrip('.')}; {_of_certificate(error)}"
        case ssl.SSLError():
            return NO_TLS if error.reason in NO_TLS_REASONS else f"TLS failed ({_plain(error.reason or error).lower()})"
        case TimeoutError() | WebSocketTimeoutException():
            return "no answer in time"
        case socket.gaierror():
            return f"its name can't be resolved ({error.strerror}): correct it in chain.urls, or check the name servers"
        case OSError() if error.strerror:
            return os.strerror(error.errno) if error.errno else error.strerror
    reason = _of_peer(error)
    return reason if opened or "chain.urls" in reason else f"{reason}; {IF_TLS}"


def _of_peer(error: Exception) -> str:
    from websocket import WebSocketConnectionClosedException, WebSocketException

    match error:
        case WebSocketConnectionClosedException():
            return "the server closed the connection"
        case json.JSONDecodeError() | UnicodeDecodeError():
            return "it sent something that is not JSON-RPC"
        case WebSocketException() if "Redirect" in str(error):
            return f"it redirects to another address; {MOVED}"
        case WebSocketException():
            return f"its WebSocket is faulty ({_plain(error)})"
        case OSError() | ValueError():
            return _plain(error)
    return f"its message can't be read ({type(error).__name__}: {_plain(error)})"


def _of_status(status: int) -> str:
    known = {int(each): each.phrase for each in HTTPStatus}
    named = f"HTTP {status} ({known[status]})" if status in known else f"HTTP {status}"
    usual = BEHIND_AWAY if status >= 500 else "see that chain.urls names a node of the chain"
    return f"it answers with {named}; {REMEDIES.get(status, usual)}"


def _of_certificate(error: ssl.SSLCertVerificationError) -> str:
    text = error.verify_message
    if "mismatch" in text:
        return "name the host in chain.urls as its certificate does"
    return (
        "check the clocks of both, or name another endpoint" if "expired" in text or "not yet" in text else SELF_SIGNED
    )


def _plain(error: object) -> str:
    return " ".join(str(error).replace("_", " ").split())[:REASON_CHARS_MAX]
