"""The function of wakeonlan that powerd uses, imported without argparse, which its command line needs."""

from __future__ import annotations

from app.adapters.libraries.left_out import left_out, unused

with left_out("wakeonlan", unused("argparse")):
    from wakeonlan import create_magic_packet

__all__ = ["create_magic_packet"]
