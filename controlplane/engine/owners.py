"""Who holds a claim: host, process, chance. A claim of a process that is dead for sure is taken at once.

Everybody else's runs out with its lease; this only spares a restarted process the wait.
"""

import os
import socket
import uuid


def me() -> str:
    """A new owner in this process."""
    return f"{socket.gethostname()}/{os.getpid()}/{uuid.uuid4().hex[:6]}"


def is_dead(owner: str) -> bool:
    """True where the owner was a process of this host that is no more; False where nobody can tell."""
    host, _, rest = owner.partition("/")
    pid = rest.partition("/")[0]
    if host != socket.gethostname() or not pid.isdecimal():
        return False
    try:
        os.kill(int(pid), 0)
    except ProcessLookupError:
        return True
    except OSError:
        return False
    return False
