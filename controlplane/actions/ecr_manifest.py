"""What an image consists of: manifests of Docker and OCI, read with distrust.

https://github.com/opencontainers/image-spec/blob/main/manifest.md
"""

import hashlib
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from controlplane.actions.base import ActionError

LISTS = (
    "application/vnd.docker.distribution.manifest.list.v2+json",
    "application/vnd.oci.image.index.v1+json",
)
IMAGES = (
    "application/vnd.docker.distribution.manifest.v2+json",
    "application/vnd.oci.image.manifest.v1+json",
)
ACCEPTED = (*IMAGES, *LISTS)
DIGEST = re.compile(r"sha256:[0-9a-f]{64}")
MOST = 200
"""Children of a list, or layers of an image; ECR allows fewer."""


@dataclass(frozen=True, slots=True)
class Manifest:
    """One manifest, byte for byte, and what it refers to.

    children: digests of the manifests in a list. blobs: digests of config and layers of an image.
    """

    digest: str
    text: str
    media_type: str
    children: tuple[str, ...] = ()
    blobs: tuple[str, ...] = ()


def parse(digest: str, text: str, media_type: str = "") -> Manifest:
    """Read a manifest; ActionError (permanent) where it is none, or not the digest's."""
    content = text.encode("utf-8", "replace")
    found = f"sha256:{hashlib.sha256(content).hexdigest()}"
    if found != digest:
        raise ActionError(
            f"The registry answered a manifest of digest {found} for {digest}: it is not what was "
            "tested.",
            permanent=True,
        )
    try:
        document = json.loads(text)
    except (ValueError, RecursionError):
        document = None
    if not isinstance(document, dict):
        raise ActionError(f"The manifest {digest} is not a JSON object.", permanent=True)
    kind = str(document.get("mediaType") or media_type)
    if kind in LISTS or "manifests" in document:
        return Manifest(digest, text, kind, children=_digests(digest, document.get("manifests")))
    if document.get("schemaVersion") != 2 or "layers" not in document:  # noqa: PLR2004
        raise ActionError(
            f"The manifest {digest} is of a kind that is not promoted ({kind or 'unknown'}): "
            "push the image in the Docker v2 schema 2 or the OCI format.",
            permanent=True,
        )
    layers = _digests(digest, document["layers"])
    return Manifest(
        digest, text, kind, blobs=(*_digests(digest, [document.get("config")]), *layers)
    )


def _digests(manifest: str, entries: Any) -> tuple[str, ...]:
    if not isinstance(entries, Sequence) or isinstance(entries, str) or len(entries) > MOST:
        raise ActionError(f"The manifest {manifest} lists no layers, or too many.", permanent=True)
    found = dict.fromkeys(_digest(manifest, entry) for entry in entries if not _is_foreign(entry))
    return tuple(found)


def _digest(manifest: str, entry: Any) -> str:
    digest = entry.get("digest") if isinstance(entry, Mapping) else None
    if not isinstance(digest, str) or not DIGEST.fullmatch(digest):
        raise ActionError(f"The manifest {manifest} refers to no SHA-256 digest.", permanent=True)
    return digest


def _is_foreign(entry: Any) -> bool:
    """Layers that may not be distributed lie at URLs of their own, in no registry."""
    return isinstance(entry, Mapping) and bool(entry.get("urls"))
