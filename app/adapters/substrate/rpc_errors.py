"""Errors of the requests to a node, before they become errors of the domain."""

from __future__ import annotations

from app.domain.errors import ChainUnavailable


class EndpointFailed(ChainUnavailable):
    """This endpoint did not answer, or its answer is invalid. Another one may answer."""

    def __init__(self, endpoint: str, reason: str) -> None:
        super().__init__(f"the chain at {endpoint} can't be asked: {reason}")
        self.endpoint = endpoint
        self.reason = reason


class RpcRefused(Exception):
    """The node answered a request with an error (JSON-RPC's ``error`` member).

    It never leaves this package, since only the function that asked knows its meaning.
    """

    def __init__(self, method: str, code: int, message: str, data: object = None) -> None:
        super().__init__(f"{method}: {message} ({code})" + (f": {data}" if data else ""))
        self.method = method
        self.code = code
        self.message = message
        self.data = data

    @classmethod
    def read(cls, method: str, error: object) -> RpcRefused:
        if not isinstance(error, dict):
            return cls(method, 0, str(error))
        code = error.get("code")
        return cls(method, code if isinstance(code, int) else 0, str(error.get("message")), error.get("data"))
