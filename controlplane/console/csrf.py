"""The CSRF token of a session as a page carries it: masked anew for each answer.

Pages are sent compressed, and the length of a compressed page tells of what repeats in it (BREACH): a secret
that looks different in every answer can not be guessed piece by piece. https://www.breachattack.com/
"""

import secrets

SIZE = 32
"""Bytes of a token; twice as many go over the wire, in hexadecimal: a mask, and the token under it."""


def masked(token: str) -> str:
    """Answer a token, in hexadecimal, under a mask of its own."""
    mask = secrets.token_bytes(SIZE)
    return (mask + _under(mask, bytes.fromhex(token))).hex()


def unmasked(given: str) -> str:
    """Answer the token of what a form carries; "" where that is nothing of ours."""
    try:
        both = bytes.fromhex(given)
    except ValueError:
        return ""
    return _under(both[:SIZE], both[SIZE:]).hex() if len(both) == 2 * SIZE else ""


def _under(mask: bytes, token: bytes) -> bytes:
    return bytes(one ^ other for one, other in zip(mask, token, strict=True))
