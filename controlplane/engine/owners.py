"""Who holds a claim: host, process, chance. A claim of a process that is dead for sure is taken at once.

Everybody else's runs out with its lease; this only spares a restarted process the wait. A process id says
something only among those who count alike: containers may share a host's name but not its process table,
and machines may share a name, so the kernel's boot and the table's own number (pid_namespaces(7)) are
part of the host.
"""

import os
import socket
import uuid
from pathlib import Path

BOOT = Path("/proc/sys/kernel/random/boot_id")


def me() -> str:
    """A new owner in this process."""
    return f"{_host()}/{os.getpid()}/{uuid.uuid4().hex[:6]}"


def is_dead(owner: str) -> bool:
    """True where the owner was a process of this host that is no more; False where nobody can tell."""
    host, _, rest = owner.partition("/")
    pid = rest.partition("/")[0]
    if host != _host() or not pid.isdecimal():
        return False
    try:
        os.kill(int(pid), 0)
    except ProcessLookupError:
        return True
    except OSError:
        return False
    return False


def _host() -> str:
    """What this replica goes by, and whose process ids it knows; a slash would end the name."""
    name = (os.environ.get("TOWPATH_REPLICA") or socket.gethostname()).replace("/", "-")
    try:
        boot = BOOT.read_text(encoding="ascii").strip()
        return f"{name} {boot} {Path('/proc/self/ns/pid').readlink()}"
    except OSError:
        return name  # no Linux: one process table a host
