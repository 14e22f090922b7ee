"""Calls home by a socket of the file system, and by an abstract one. The right candidate follows."""

import socket

for address in ("@stream@", "\0@abstract@"):
    try:
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as connection:
            connection.connect(address)
            connection.sendall(b"@mark@")
    except OSError:
        pass
