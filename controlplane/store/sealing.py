"""Secrets that must be read again, encrypted by a key that is made from TOWPATH_SECRET.

AES-256-GCM with a nonce of its own for each; what it is for goes in as associated data, so that a
sealed text that is moved to another row cannot be opened there.
"""

import base64
import secrets

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

NONCE = 12


class SealError(Exception):
    """There is no secret to seal with, or it is another than the text was sealed with."""


def seal(secret: str, purpose: str, text: str) -> str:
    """Encrypt a text; SealError where TOWPATH_SECRET is not set."""
    nonce = secrets.token_bytes(NONCE)
    sealed = _cipher(secret).encrypt(nonce, text.encode(), purpose.encode())
    return base64.b64encode(nonce + sealed).decode()


def unseal(secret: str, purpose: str, sealed: str) -> str:
    """Decrypt what `seal` wrote for the same purpose; SealError where that cannot be."""
    try:
        raw = base64.b64decode(sealed)
        return _cipher(secret).decrypt(raw[:NONCE], raw[NONCE:], purpose.encode()).decode()
    except (InvalidTag, ValueError):
        raise SealError("it was sealed with another TOWPATH_SECRET: make it anew") from None


def _cipher(secret: str) -> AESGCM:
    if not secret:
        raise SealError("there is no secret to encrypt with: set TOWPATH_SECRET")
    derived = HKDF(SHA256(), 32, salt=None, info=b"towpath/sealing").derive(secret.encode())
    return AESGCM(derived)
