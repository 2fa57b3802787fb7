"""Ending sessions at the server, in the order that really takes the access away.

A group that is only deleted comes back with the next program that connects to it. So first the links of supporters go, which cuts those who
look; then the customer's program is stopped, and its end awaited; then the group is deleted. A program that is started again brings the
group back: ``leftovers`` finds it, and it is ended again.
"""

from __future__ import annotations

import time
from collections.abc import Collection, Iterable, Mapping, Sequence
from contextlib import suppress
from datetime import datetime
from typing import Any

from jumpseat_meshcentral.failures import DeviceUnknown, GroupUnknown
from jumpseat_meshcentral.groups import Group, Groups, Node, nodes_of
from jumpseat_meshcentral.line import Line, Message

GONE_SECONDS = 5.0
"""How long the end of the customers' programs is waited for."""
SHARES_SECONDS = 3.0
MOST = 10
"""Leftovers that are ended in one go; the others wait for the next."""
STOP = "kill -INT $PPID"
STOP_WINDOWS = 'Stop-Process -Force -Id (Get-CimInstance Win32_Process -Filter "ProcessId=$PID").ParentProcessId'
"""The shell that is told runs below the customer's program."""
_SHELL, _POWERSHELL = 3, 2


def end(line: Line, groups: Iterable[str]) -> None:
    """End the sessions of these groups; those that are gone already are no failure.

    Args:
        line: to the server.
        groups: ids of the groups.

    Raises:
        ProviderError: some are not ended yet; ending them again is fine.
    """
    nodes: list[Node] = []
    there = []
    for group in groups:
        with suppress(GroupUnknown):
            nodes += nodes_of(line, group)
            there.append(group)
            _remove_shares(line, group)
    _stop(line, [node for node in nodes if node.online])
    for group in there:
        with suppress(GroupUnknown):
            line.call("deletemesh", wrote=True, meshid=group)


def leftovers(groups: Groups, wanted: Collection[str], closed: Mapping[str, Any], now: datetime) -> Sequence[Group]:
    """Groups whose session is over.

    Args:
        groups: all that the account sees.
        wanted: correlation ids of sessions that are open for sure.
        closed: correlation ids of sessions that this host has closed.
        now: the time.
    """
    return [
        group
        for group in groups.items.values()
        if group.correlation_id
        and group.correlation_id not in wanted
        and (group.correlation_id in closed or (group.valid_until is not None and group.valid_until < now))
    ]


def _remove_shares(line: Line, group: str) -> None:
    def fits(message: Message) -> bool:
        return message.get("action") == "deviceMeshShares" and message.get("meshid") == group

    answer = line.ask("deviceMeshShares", fits, seconds=SHARES_SECONDS, meshid=group)
    shares = answer.get("deviceShares") if answer else None
    for share in shares if isinstance(shares, list) else ():
        node, share_id = share.get("nodeid"), share.get("publicid")
        if isinstance(node, str) and isinstance(share_id, str):
            with suppress(DeviceUnknown):
                line.call("removeDeviceShare", wrote=True, nodeid=node, publicid=share_id)


def _stop(line: Line, nodes: Sequence[Node]) -> None:
    """Stop the programs of customers, and wait until the server says that they are gone."""
    for node in nodes:
        kind, command = (_POWERSHELL, STOP_WINDOWS) if node.windows else (_SHELL, STOP)
        line.tell("runcommands", nodeids=[node.id], type=kind, cmds=command, runAsUser=0)
    waiting, until = {node.id for node in nodes}, time.monotonic() + GONE_SECONDS

    def is_gone(message: Message) -> bool:
        event = message.get("event")
        return isinstance(event, dict) and event.get("action") == "removenode" and event.get("nodeid") in waiting

    while waiting and (left := until - time.monotonic()) > 0:
        message = line.wait(is_gone, left)
        if message is None:
            break
        waiting.discard(message["event"]["nodeid"])
