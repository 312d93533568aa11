"""Reads a policy as it is written on the command line: ``bot``, ``bot,awake_min=2``, ``script:FILE``."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import msgspec

from app.entrypoints.simulator.input.csv_file import read_script
from app.entrypoints.simulator.input.problems import key_of, problem_of
from app.entrypoints.simulator.plan.bad_input import BadInput, unknown
from app.entrypoints.simulator.plan.plan import BotPlan, PolicyPlan

POLICIES = ("always-on", "bot", "script")


def policy_of_text(text: str, bot: BotPlan) -> PolicyPlan:
    """``bot`` has the parameters of a bot for which none are written (from the farm file)."""
    what, *parameters = text.split(",")
    kind, _, path = what.partition(":")
    if kind not in POLICIES:
        raise BadInput(unknown("policy", kind, POLICIES))
    if kind == "script" and not path:
        raise BadInput("which script? Write script:FILE, a CSV file with at_s,node,target")
    if parameters and kind != "bot":
        raise BadInput(
            f"policy {text!r}: only bot takes parameters, such as bot,awake_min=2; leave out {parameters[0]!r}"
        )
    return PolicyPlan(
        kind=kind, bot=_bot(text, bot, parameters), script=read_script(Path(path)) if kind == "script" else ()
    )


def _bot(text: str, bot: BotPlan, parameters: Sequence[str]) -> BotPlan:
    values = msgspec.structs.asdict(bot)
    known = list(values)
    for name, equals, value in (parameter.partition("=") for parameter in parameters):
        if name not in known:
            raise BadInput(f"policy {text!r}: {unknown('parameter', name, known)}")
        if not equals:
            raise BadInput(f"policy {text!r}: write {name}=VALUE")
        values[name] = value
    try:
        return msgspec.convert(values, BotPlan, strict=False)
    except msgspec.ValidationError as error:
        raise BadInput(f"policy {text!r}: {problem_of(error, known, values.get(key_of(error)))}") from error
