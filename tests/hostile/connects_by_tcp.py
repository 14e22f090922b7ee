"""Calls home by TCP, and listens. The right candidate follows."""

import socket

for address in (("127.0.0.1", int("@tcp@")),):
    try:
        with socket.create_connection(address, timeout=2) as connection:
            connection.sendall(b"@mark@")
    except OSError:
        pass
