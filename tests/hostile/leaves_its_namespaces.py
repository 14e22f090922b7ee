"""Makes namespaces of its own, enters others, and asks for keys and programs of the kernel. The right candidate follows."""

import ctypes

libc = ctypes.CDLL(None)
done = []
for name, act in {
    "unshare": lambda: libc.unshare(0x10000000 | 0x00020000),
    "setns": lambda: libc.setns(0, 0),
    "keyctl": lambda: libc.syscall(250, 0, -3, 1),
}.items():
    if act() >= 0:
        done.append(name)
if done:
    print("@mark@", done)
