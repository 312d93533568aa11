"""The network card that wakes this machine, and the packets that wake others."""

from __future__ import annotations

from collections.abc import Sequence

from app.domain.errors import MagicPacketNotSent, MagicPacketSentInPart
from app.entrypoints.check.finding import Finding, failed, of_error, ok, warning
from app.entrypoints.check.subject import Subject

ARMS_IT = (
    "powerd switches it on when it starts and before every power-off; if this is so while powerd runs, `powerd status` "
    "says why"
)


async def card(subject: Subject) -> Sequence[Finding]:
    nic = await subject.card()
    over = f" over {', '.join(nic.cards)}" if nic.cards else ""
    return [ok(f"{nic.name}{over} ({nic.mac}) can be woken by magic packet")]


async def armed(subject: Subject) -> Sequence[Finding]:
    """Both places that the kernel has for it: the card's wake modes, and the switch of its device."""
    found = []
    for each in await subject.container.nic().look(await subject.card()):
        off = [f"{switch} says disabled" for switch in each.off]
        if not each.magic_on:
            off.insert(0, f"`ethtool {each.name}` says wol {each.modes or 'd'}, without g")
        if off:
            found.append(warning(f"{each.name} is not armed: {' and '.join(off)}", ARMS_IT))
        elif each.off_above:
            above = ", ".join(each.off_above)
            found.append(
                warning(
                    f"{each.name} is armed, and {above} of a bridge above it says disabled",
                    "most machines still wake; enable it if this one does not",
                )
            )
        else:
            found.append(ok(f"{each.name} is armed (ethtool: wol {each.modes}), and no switch of the kernel is off"))
    return found


async def wake_modes(subject: Subject) -> Sequence[Finding]:
    nic = await subject.card()
    if not nic.other_wake_modes:
        return [ok("magic packet alone wakes it")]
    seen = f"{nic.name} wakes this machine by {nic.other_wake_modes} too"
    if subject.settings.nic.wake_modes == "magic":
        return [ok(f"{seen}; powerd switches that off before a power-off")]
    return [warning(f"{seen}: ordinary traffic may wake it", 'nic.wake_modes = "magic" leaves magic packet alone on')]


async def packets(subject: Subject) -> Sequence[Finding]:
    """Opens a socket, and sends nothing."""
    where = ", ".join(each or "the default route" for each in subject.settings.magic_packets.interfaces)
    try:
        subject.container.magic_packets().try_out()
    except MagicPacketNotSent as error:
        return [of_error(error, "see magic_packets in the settings")]
    except MagicPacketSentInPart as error:
        return [failed(reason, "see magic_packets in the settings", name) for name, reason in error.reasons.items()]
    return [ok(f"may be sent on {where}")]
