"""Unpacking a revision's bundle: bounded in size, and nothing lands outside its folder."""

import io
import shutil
import struct
import tarfile
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from typing import IO

LARGEST_BUNDLE = 64 * 1024 * 1024
LARGEST_CONTENT = 256 * 1024 * 1024
MOST_FILES = 10_000
BLOCK = 64 * 1024

BROKEN = (
    zipfile.BadZipFile,
    tarfile.TarError,
    zlib.error,
    struct.error,
    EOFError,
    OSError,
    ArithmeticError,
    LookupError,
    RuntimeError,  # encrypted, or compressed in an odd way
    ValueError,
)
"""What the standard library raises on archives that are damaged, or made to be."""

Entry = tuple[str, int, IO[bytes]]
"""A file in an archive: its name, its permission bits, its bytes to be."""


class BundleError(ValueError):
    """The bundle cannot be unpacked, or will not be; the message says why."""


def unpack(content: bytes, kind: str, folder: Path) -> None:
    """Unpack a bundle ("zip", "tar" or "tgz") into a folder that it makes.

    Raises BundleError, with nothing written outside the folder, where the archive is broken, too
    large, or holds a path or link that leads out of it.
    """
    if len(content) > LARGEST_BUNDLE:
        raise BundleError(f"The bundle has {len(content)} bytes; {LARGEST_BUNDLE} are allowed")
    if kind not in ("zip", "tar", "tgz"):
        raise BundleError(f"The sandbox unpacks zip, tar and tgz, not {kind!r}")
    folder.mkdir(parents=True, exist_ok=True)
    try:
        _write_all(_zip(content) if kind == "zip" else _tar(content, kind), folder)
    except BundleError:
        raise
    except BROKEN as error:
        raise BundleError(f"The bundle is not a readable {kind} archive: {error}") from None


def _write_all(entries: Iterator[Entry], folder: Path) -> None:
    left = LARGEST_CONTENT
    for count, entry in enumerate(entries):
        if count >= MOST_FILES:
            raise BundleError(f"The bundle holds more than {MOST_FILES} files")
        left -= _write(entry, folder, left)


def _zip(content: bytes) -> Iterator[Entry]:
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        for info in archive.infolist():
            if not info.is_dir():
                with archive.open(info) as source:
                    yield info.filename, (info.external_attr >> 16) & 0o777, source


def _tar(content: bytes, kind: str) -> Iterator[Entry]:
    mode = "r:gz" if kind == "tgz" else "r:"
    with tarfile.open(fileobj=io.BytesIO(content), mode=mode) as archive:  # type: ignore[call-overload]
        for member in archive:
            if member.isdir():
                continue
            source = archive.extractfile(member) if member.isreg() else None
            if source is None:
                raise BundleError(f"{member.name!r} is a link or a device; only files are unpacked")
            yield member.name, member.mode & 0o777, source


def _write(entry: Entry, folder: Path, room: int) -> int:
    name, mode, source = entry
    path = PurePosixPath(name.replace("\\", "/"))
    if path.is_absolute() or ".." in path.parts or not path.parts or "\0" in name:
        raise BundleError(f"{name!r} leads out of the bundle's folder")
    target = folder.joinpath(*path.parts)
    target.parent.mkdir(parents=True, exist_ok=True)
    written = 0
    with target.open("wb") as out:
        while block := source.read(BLOCK):  # the sizes an archive declares may lie; these do not
            written += len(block)
            if written > room:
                raise BundleError(f"The bundle unpacks to more than {LARGEST_CONTENT} bytes")
            out.write(block)
    target.chmod((mode or 0o644) | 0o600)
    return written


def discard(folder: Path) -> None:
    """Remove an unpacked bundle, if it is there."""
    shutil.rmtree(folder, ignore_errors=True)
