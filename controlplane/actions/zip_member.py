"""One file out of a zip in S3, both bounded before they are read."""

import io
import zipfile
from contextlib import closing
from typing import Any

from controlplane.actions.base import ActionError
from controlplane.actions.s3_content import Place
from controlplane.actions.vendor import asking

LARGEST_ZIP = 8 * 1024 * 1024


def member(s3: Any, place: Place, path: str, largest: int) -> bytes:
    """Read `path`, of at most `largest` bytes; ActionError (permanent) where that cannot be."""
    with asking(f"read {place.location}"):
        answer = s3.get_object(**place.request, Range=f"bytes=0-{LARGEST_ZIP}")
        with closing(answer["Body"]) as body:
            content: bytes = body.read(LARGEST_ZIP + 1)
    where = f"{path} in {place.location}"
    if len(content) > LARGEST_ZIP:
        said = f"{place.location} has over 8 MiB: hand on an artifact with {path} alone"
        raise ActionError(said, permanent=True)
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive, archive.open(path) as file:
            found = file.read(largest + 1)
    except (zipfile.BadZipFile, KeyError, OSError, RuntimeError, NotImplementedError) as error:
        raise ActionError(f"{where} cannot be read: {error}", permanent=True) from error
    if len(found) > largest:
        raise ActionError(f"{where} has over {largest} bytes", permanent=True)
    return found
