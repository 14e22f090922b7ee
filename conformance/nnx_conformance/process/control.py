"""The records between a judge and its fork server: JSON of a fixed size, and descriptors. No candidate writes any."""

from __future__ import annotations

import dataclasses
import json
import socket
from collections.abc import Sequence
from typing import Any

from nnx_conformance.sandbox.jail import Jail

RECORD = 4096
DESCRIPTORS = 3


def send(connection: socket.socket, record: dict[str, Any], descriptors: Sequence[int] = ()) -> None:
    """Send one record; it fits into the socket's buffer, so this does not wait."""
    data = json.dumps(record).encode().ljust(RECORD)
    assert len(data) == RECORD, "The record is too long."
    sent = socket.send_fds(connection, [data], list(descriptors)) if descriptors else 0
    connection.sendall(data[sent:])


def receive(connection: socket.socket) -> tuple[dict[str, Any], list[int]] | None:
    """The next record with its descriptors; None if the other side has closed the connection."""
    data, descriptors = b"", []
    while len(data) < RECORD:
        part, received, _, _ = socket.recv_fds(connection, RECORD - len(data), DESCRIPTORS)
        if not part:
            return None
        data += part
        descriptors += received
    return json.loads(data), descriptors


def jail_text(jail: Jail) -> str:
    """A jail as text."""
    return json.dumps(dataclasses.asdict(jail))


def jail(text: str) -> Jail:
    """A jail from its text."""
    fields: dict[str, Any] = json.loads(text)
    lists = {name: tuple(value) for name, value in fields.items() if isinstance(value, list)}
    return Jail(**{**fields, **lists})
