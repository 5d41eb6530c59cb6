"""The Install event: what the last deployment copied goes, what this bundle lists comes.

The agent's own behaviour: it keeps a cleanup file per deployment group, and by default refuses to
write over a file that it did not put there.
https://docs.aws.amazon.com/codedeploy/latest/userguide/deployments-rollback-and-redeploy.html
"""

import shutil
from collections.abc import Iterator
from pathlib import Path

from controlplane.sandbox.codedeploy.appspec import AppSpec, Copy


class InstallError(Exception):
    """A file could not be installed; the message says which and why."""


def remove_installed(cleanup: Path) -> None:
    """Remove the files that the most recent installation copied, and forget them."""
    if not cleanup.is_file():
        return
    for line in cleanup.read_text("utf-8").splitlines():
        Path(line).unlink(missing_ok=True)
    cleanup.unlink()


def install_files(spec: AppSpec, archive: Path, root: Path, cleanup: Path, behaviour: str) -> None:
    """Copy the bundle's files below `root`, and note them in `cleanup`.

    behaviour: what to do with a file that is there already: DISALLOW, OVERWRITE or RETAIN.
    """
    copied: list[str] = []
    try:
        for source, target in _plan(spec, archive, root):
            if target.exists() and behaviour == "DISALLOW":
                raise InstallError(
                    "The deployment failed because a specified file already exists at this "
                    f"location: {target}"
                )
            if target.exists() and behaviour == "RETAIN":
                continue
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(source, target)
            copied.append(str(target))
    except OSError as error:
        raise InstallError(f"{error.strerror}: {error.filename}") from None
    finally:
        cleanup.parent.mkdir(parents=True, exist_ok=True)
        cleanup.write_text("\n".join(copied), "utf-8")


def _plan(spec: AppSpec, archive: Path, root: Path) -> Iterator[tuple[Path, Path]]:
    for entry in spec.files:
        yield from _plan_one(entry, archive, root.joinpath(*entry.destination.parts))


def _plan_one(entry: Copy, archive: Path, destination: Path) -> Iterator[tuple[Path, Path]]:
    source = archive.joinpath(*entry.source.parts)
    if source.is_file():
        yield source, destination / source.name
    elif source.is_dir():
        for path in sorted(source.rglob("*")):
            if path.is_file():
                yield path, destination / path.relative_to(source)
    else:
        raise InstallError(f"No such file or directory: {entry.source}")
