"""Ports of loopback for services that stop and start again.

They lie below the range from which systems take ports for outgoing connections, so that no client
sits on a service's port while it restarts.
"""

import secrets
import socket

LOWEST, HIGHEST = 20_000, 32_000


def free_ports(count: int) -> list[int]:
    """Find so many different ports that nobody listens on now. OSError where there are too few."""
    start, found = secrets.randbelow(HIGHEST - LOWEST), list[int]()
    for step in range(HIGHEST - LOWEST):
        if len(found) == count:
            return found
        port = LOWEST + (start + step) % (HIGHEST - LOWEST)
        if _free(port):
            found.append(port)
    raise OSError(f"no {count} free ports between {LOWEST} and {HIGHEST}")


def _free(port: int) -> bool:
    with socket.socket() as one:
        try:
            one.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True
