"""Calls home by UDP. The right candidate follows."""

import socket

try:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as connection:
        connection.sendto(b"@mark@", ("127.0.0.1", int("@udp@")))
except OSError:
    pass
