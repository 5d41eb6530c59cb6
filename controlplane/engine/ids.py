"""Ids. Execution ids sort by the time they were made; tokens name one attempt of one action for ever."""

import hashlib
import secrets
import uuid


def execution_id(now: float) -> str:
    """A UUID of version 7 (RFC 9562): milliseconds first, then chance."""
    value = (int(now * 1000) & 0xFFFFFFFFFFFF) << 80 | secrets.randbits(80)
    value = value & ~(0xF << 76) | 7 << 76
    value = value & ~(0x3 << 62) | 2 << 62
    return str(uuid.UUID(int=value))


def stage_id(execution: str, position: int, attempt: int = 1) -> str:
    """The same for the same entry: a doubled insert is refused by the primary key."""
    return f"{execution}:{position}:{attempt}"


def token(stage: str, action: str, attempt: int) -> str:
    """What an outside call is made under; short enough for any vendor's description field."""
    digest = hashlib.blake2s(f"{stage}/{action}/{attempt}".encode(), digest_size=12)
    return f"tp-{digest.hexdigest()}"
