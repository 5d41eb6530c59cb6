"""A host's archive as a bundle: what lies under its one folder, and the same bytes for the same content.

Hosts put everything under a folder of their own, where CodeDeploy looks for no appspec.yml; and they may
pack the same commit anew in other bytes, which would be another digest. So it is packed once more: sorted,
without times. https://github.blog/open-source/git/update-on-the-future-stability-of-source-code-archives-and-hashes/
"""

import hashlib
import stat
import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import IO

from controlplane.actions.base import ActionError

MIB = 1024 * 1024
EPOCH = (1980, 1, 1, 0, 0, 0)
"""The first time that a zip can say."""
MODES = 0o777


@dataclass(frozen=True, slots=True)
class Bounds:
    """packed, unpacked: bytes of the archive, and of all that is in it. files: how many."""

    packed: int = 256 * MIB
    unpacked: int = 1024 * MIB
    files: int = 100_000


def keep(chunks: Iterator[bytes], target: IO[bytes], bounds: Bounds) -> None:
    """Write what comes into a file, and no more than the bound."""
    size = 0
    for chunk in chunks:
        size += len(chunk)
        if size > bounds.packed:
            raise _too_large(f"has over {bounds.packed // MIB} MiB")
        target.write(chunk)


def repack(source: IO[bytes], target: IO[bytes], bounds: Bounds) -> str:
    """Pack it once more; answers its digest. ActionError (permanent) for what is no honest archive."""
    try:
        with (
            zipfile.ZipFile(source) as old,
            zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as new,
        ):
            _copy(old, new, bounds)
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError) as error:
        raise ActionError(f"The archive can not be read ({error}).") from None
    return digest_of(target)


def digest_of(content: IO[bytes]) -> str:
    """Hash all that is in a file."""
    hashed = hashlib.sha256()
    content.seek(0)
    while chunk := content.read(MIB):
        hashed.update(chunk)
    return f"sha256:{hashed.hexdigest()}"


def packed_as(name: str, mode: int) -> zipfile.ZipInfo:
    """An entry that is the same whenever it is packed."""
    packed = zipfile.ZipInfo(name, EPOCH)
    packed.compress_type = zipfile.ZIP_DEFLATED
    packed.create_system = 3  # Unix: so its mode counts
    packed.external_attr = mode << 16
    return packed


def _copy(old: zipfile.ZipFile, new: zipfile.ZipFile, bounds: Bounds) -> None:
    entries = [one for one in old.infolist() if not one.is_dir()]
    if len(entries) > bounds.files:
        raise _too_large(f"has over {bounds.files} files")
    if sum(one.file_size for one in entries) > bounds.unpacked:
        raise _too_large(f"unpacks to over {bounds.unpacked // MIB} MiB")
    left = bounds.unpacked
    named = {_inside(one.filename): one for one in entries}
    if len(named) < len(entries):
        raise ActionError("The archive has a name twice.", permanent=True)
    for name, entry in sorted(named.items()):
        packed = packed_as(name, _mode(entry))
        with old.open(entry) as content, new.open(packed, "w") as written:
            while chunk := content.read(MIB):
                left -= len(chunk)
                if left < 0:
                    raise _too_large(f"unpacks to over {bounds.unpacked // MIB} MiB")
                written.write(chunk)


def _inside(name: str) -> str:
    """The name without the archive's own folder."""
    parts = PurePosixPath(name).parts
    if len(parts) < 2 or ".." in parts or name.startswith("/") or "\\" in name:  # noqa: PLR2004
        raise ActionError(f"The archive has {name!r}, which lies nowhere in it.", permanent=True)
    return "/".join(parts[1:])


def _mode(entry: zipfile.ZipInfo) -> int:
    """What Git knows of a file: whether it is a link, and whether it runs."""
    mode = entry.external_attr >> 16
    if stat.S_ISLNK(mode):
        return stat.S_IFLNK | MODES
    return stat.S_IFREG | (0o755 if mode & 0o100 else 0o644)


def _too_large(said: str) -> ActionError:
    mend = "keep it out of the repository, or release a bundle by S3"
    return ActionError(f"The archive {said}: {mend}.", permanent=True)
