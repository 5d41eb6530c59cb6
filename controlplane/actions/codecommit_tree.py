"""A commit of CodeCommit as a zip, the same bytes whenever it is asked for; read in bounded pieces.

CodeCommit has no archive: a folder is listed by GetFolder, a file is read by GetBlob (6 MB at most). A driver's
call makes at most `CALLS` calls and the next look goes on. What was read cannot be stored, so after a restart
reading begins anew; nothing else is lost.
https://docs.aws.amazon.com/codecommit/latest/APIReference/API_GetFolder.html
"""

import stat
import tempfile
import zipfile
from collections import OrderedDict
from dataclasses import dataclass, field
from pathlib import PurePosixPath
from typing import IO, Any

from controlplane.actions.base import ActionError
from controlplane.actions.git.bundle import MIB, MODES, packed_as
from controlplane.actions.vendor import asking, told

CALLS = 100
FILES = 10_000
UNPACKED = 256 * MIB
MEMORY = 8 * MIB
"""Bytes of a zip that are kept off the disk."""
KEPT = 16
LISTS = ("files", "symbolicLinks")
FILE_MODES = {"EXECUTABLE": stat.S_IFREG | 0o755, "SYMLINK": stat.S_IFLNK | MODES}
PLAIN = stat.S_IFREG | 0o644

Bound = tuple[int, int]
"""Files, and bytes of all of them."""


@dataclass
class Packing:
    """How far a commit was read: folders to list, then files to fetch in the order of their names."""

    folders: list[str] = field(default_factory=lambda: ["/"])
    found: dict[str, tuple[str, int]] = field(default_factory=dict)
    left: list[str] | None = None
    size: int = 0

    def __post_init__(self) -> None:
        self.file: IO[bytes] = tempfile.SpooledTemporaryFile(MEMORY)  # noqa: SIM115 outlives the call
        self.zip = zipfile.ZipFile(self.file, "w", zipfile.ZIP_DEFLATED)

    def close(self) -> None:
        """Let it go."""
        self.zip.close()
        self.file.close()


@dataclass(frozen=True, slots=True)
class Commit:
    """Which commit of which repository, and who asks."""

    client: Any
    repository: str
    id: str
    account: str

    def __str__(self) -> str:
        return f"commit {self.id} of {self.repository} in {self.account}"


class Trees:
    """Packs commits, a piece a call."""

    def __init__(self, calls: int = CALLS, bound: Bound = (FILES, UNPACKED)) -> None:
        """Make at most so many calls at a time; refuse what is beyond the bound."""
        self._calls, self._bound = calls, bound
        self._begun: OrderedDict[str, tuple[str, Packing]] = OrderedDict()

    def advance(self, token: str, commit: Commit) -> IO[bytes] | None:
        """Read the next piece; answers the whole zip, which is the caller's to close, or None."""
        known, packing = self._begun.pop(token, (commit.id, None))
        if packing is None or known != commit.id:
            packing = Packing()
        try:
            with asking(f"read {commit}"):
                done = self._step(commit, packing)
        except BaseException:
            packing.close()
            raise
        if done:
            packing.zip.close()
            return packing.file
        self._begun[token] = (commit.id, packing)
        while len(self._begun) > KEPT:
            self._begun.popitem(last=False)[1][1].close()
        return None

    def _step(self, commit: Commit, packing: Packing) -> bool:
        for _ in range(self._calls):
            if packing.folders:
                self._list(commit, packing)
                continue
            if packing.left is None:
                packing.left = sorted(packing.found, reverse=True)
            if not packing.left:
                return True
            self._fetch(commit, packing, packing.left.pop())
        return not packing.folders and packing.left == []

    def _list(self, commit: Commit, packing: Packing) -> None:
        answer = commit.client.get_folder(
            repositoryName=commit.repository,
            commitSpecifier=commit.id,
            folderPath=packing.folders.pop(),
        )
        if told(answer, "commitId") != commit.id:
            raise ActionError(f"CodeCommit answered another commit than {commit.id}.")
        packing.folders += [one["absolutePath"] for one in answer.get("subFolders") or ()]
        for one in (entry for name in LISTS for entry in answer.get(name) or ()):
            mode = FILE_MODES.get(str(one.get("fileMode")), PLAIN)
            packing.found[_inside(one["absolutePath"])] = (one["blobId"], mode)
        if len(packing.found) > self._bound[0]:
            raise _too_large(commit, f"over {self._bound[0]} files")

    def _fetch(self, commit: Commit, packing: Packing, name: str) -> None:
        blob, mode = packing.found[name]
        answer = commit.client.get_blob(repositoryName=commit.repository, blobId=blob)
        content = bytes(told(answer, "content"))
        packing.size += len(content)
        if packing.size > self._bound[1]:
            raise _too_large(commit, f"over {self._bound[1] // MIB} MiB")
        packing.zip.writestr(packed_as(name, mode), content)


def _inside(name: str) -> str:
    """A path within the artifact; ActionError (permanent) for one that leads out of it."""
    path = name.removeprefix("/")
    if not path or path.startswith("/") or ".." in PurePosixPath(path).parts or "\\" in path:
        raise ActionError(f"The commit has {name!r}, which lies nowhere in it.", permanent=True)
    return path


def _too_large(commit: Commit, said: str) -> ActionError:
    mend = "keep it out of the repository, or release a bundle by S3"
    return ActionError(f"The {commit} has {said}: {mend}.", permanent=True)
