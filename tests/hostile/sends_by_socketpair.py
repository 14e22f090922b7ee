"""Makes a pair of sockets, which needs nobody, and sends from it to somebody else. The right candidate follows."""

import socket

for kind in (socket.SOCK_DGRAM, socket.SOCK_RAW, socket.SOCK_SEQPACKET, socket.SOCK_STREAM):
    for address in ("@datagram@", "\0@abstract@.datagram"):
        try:
            ours, theirs = socket.socketpair(socket.AF_UNIX, kind)
            with ours, theirs:
                ours.sendto(b"@mark@", address)
        except OSError:
            pass
