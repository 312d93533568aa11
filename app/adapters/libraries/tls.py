"""Python's own libraries without OpenSSL, for a process that never speaks TLS: 5 MiB.

A Python that was built without OpenSSL has no module ``ssl``, which asyncio allows for.
"""

from __future__ import annotations

import sys
from importlib import import_module
from importlib.util import find_spec

from app.adapters.libraries.left_out import ABSENT, StandIns, left_out, unused


def leave_out_tls() -> None:
    """Import asyncio without TLS, and hashlib with Python's own hashes; what is imported already stays as it is."""
    with left_out("asyncio", {"ssl": ABSENT}):
        import_module("asyncio")
    if find_spec("_md5"):  # some distributions build Python without hashes of its own
        with left_out("hashlib", {"_hashlib": ABSENT}):
            import_module("hashlib")


def without_tls() -> StandIns:
    """The stand-in for ``ssl`` in this process, for a library that can't be imported without it."""
    import_module("asyncio")
    return {} if "ssl" in sys.modules else unused("ssl")
