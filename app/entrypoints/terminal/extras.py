"""Checks for packages of "extras", which an installation of powerd has only on request."""

from __future__ import annotations

from importlib.util import find_spec

from app.domain.errors import PowerdError


class ExtraMissing(PowerdError):
    """A command needs an extra that is not installed."""

    exit_code = 2


def require_extra(command: str, extra: str, module: str) -> None:
    """Raise `ExtraMissing` unless ``module``, which the extra brings, can be imported."""
    if find_spec(module) is None:
        raise ExtraMissing(
            f"{command} needs the Python package {module}, which this installation lacks; install powerd[{extra}] "
            f"with pip, pipx or uv, or use a checkout (`make {extra}`)"
        )
