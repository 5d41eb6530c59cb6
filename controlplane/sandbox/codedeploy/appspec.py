"""appspec.yml: what of a bundle goes where, and which scripts run at which lifecycle event.

https://docs.aws.amazon.com/codedeploy/latest/userguide/reference-appspec-file.html
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import PurePosixPath
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

LARGEST = 64 * 1024
LONGEST = 3600
SCRIPTED = (
    "BeforeBlockTraffic",
    "AfterBlockTraffic",
    "ApplicationStop",
    "BeforeInstall",
    "AfterInstall",
    "ApplicationStart",
    "ValidateService",
    "BeforeAllowTraffic",
    "AfterAllowTraffic",
)


class AppSpecError(ValueError):
    """The appspec.yml cannot be used; the message says where it is wrong."""


@dataclass(frozen=True, slots=True)
class Copy:
    """One entry of `files`: both paths are free of `..`; source is relative to the bundle."""

    source: PurePosixPath
    destination: PurePosixPath


@dataclass(frozen=True, slots=True)
class Script:
    """One script of a hook; location is relative to the bundle, timeout is in seconds."""

    location: PurePosixPath
    timeout: int = LONGEST


@dataclass(frozen=True, slots=True)
class Shift:
    """The Lambda function of an AppSpec: its alias goes from the current version to the target."""

    function: str
    alias: str
    current: str
    target: str


@dataclass(frozen=True, slots=True)
class AppSpec:
    """A usable appspec.yml."""

    files: tuple[Copy, ...] = ()
    hooks: Mapping[str, tuple[Script, ...]] = field(default_factory=dict)
    file_exists_behavior: str | None = None


def parse_appspec(text: str) -> AppSpec:
    """Read an appspec.yml; AppSpecError where it is malformed or asks for what we have not."""
    if len(text) > LARGEST:
        raise AppSpecError(f"appspec.yml is larger than {LARGEST} bytes")
    document = _mapping(_load(text), "the document")
    if str(document.get("version")) != "0.0":
        raise AppSpecError("version: must be 0.0")
    if document.get("os") != "linux":
        raise AppSpecError("os: the sandbox's instances run linux")
    if document.get("permissions"):
        raise AppSpecError("permissions: the sandbox's instances have one user; leave them out")
    behaviour = document.get("file_exists_behavior")
    if behaviour not in (None, "DISALLOW", "OVERWRITE", "RETAIN"):
        raise AppSpecError("file_exists_behavior: must be DISALLOW, OVERWRITE or RETAIN")
    return AppSpec(
        files=tuple(_copy(entry) for entry in _list(document.get("files"), "files")),
        hooks=_hooks(document.get("hooks")),
        file_exists_behavior=behaviour,
    )


def parse_shift(text: str) -> Shift:
    """Read the AppSpec file of a Lambda deployment (YAML or JSON); AppSpecError as above."""
    if len(text) > LARGEST:
        raise AppSpecError(f"The AppSpec file is larger than {LARGEST} bytes")
    document = _mapping(_load(text), "the document")
    if document.get("Hooks"):
        raise AppSpecError("Hooks: the sandbox runs none for Lambda; leave them out")
    resources = _list(document.get("Resources"), "Resources")
    entry = _mapping(resources[0] if len(resources) == 1 else None, "Resources")
    resource = _mapping(next(iter(entry.values()), None), "Resources")
    if resource.get("Type") != "AWS::Lambda::Function":
        raise AppSpecError("Resources: must hold one AWS::Lambda::Function")
    given = _mapping(resource.get("Properties"), "Properties")
    names = ("Name", "Alias", "CurrentVersion", "TargetVersion")
    if missing := [name for name in names if not given.get(name)]:
        raise AppSpecError(f"Properties: {', '.join(missing)} must be given")
    return Shift(*(str(given[name]) for name in names))


def _load(text: str) -> Any:
    try:
        return YAML(typ="safe", pure=True).load(text)
    except (YAMLError, ValueError, RecursionError, OverflowError) as error:
        raise AppSpecError(f"appspec.yml is not YAML: {str(error)[:300]}") from None


def _mapping(value: Any, where: str) -> dict[Any, Any]:
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise AppSpecError(f"{where}: must be a mapping")
    return value


def _list(value: Any, where: str) -> list[Any]:
    if value is None:
        return []
    if not isinstance(value, list):
        raise AppSpecError(f"{where}: must be a list")
    return value


def _path(value: Any, where: str) -> PurePosixPath:
    if not isinstance(value, str) or not value.strip() or "\0" in value:
        raise AppSpecError(f"{where}: must be a path")
    path = PurePosixPath(value)
    if ".." in path.parts:
        raise AppSpecError(f"{where}: {value!r} leaves its folder")
    return path.relative_to(path.root) if path.is_absolute() else path


def _copy(entry: Any) -> Copy:
    entry = _mapping(entry, "files")
    if not str(entry.get("destination", "")).startswith("/"):
        raise AppSpecError("files.destination: must be an absolute path")
    return Copy(
        _path(entry.get("source"), "files.source"),
        _path(entry["destination"], "files.destination"),
    )


def _hooks(value: Any) -> dict[str, tuple[Script, ...]]:
    hooks: dict[str, tuple[Script, ...]] = {}
    for event, scripts in _mapping(value, "hooks").items():
        if event not in SCRIPTED:
            raise AppSpecError(f"hooks: {str(event)[:100]!r} is no event that runs scripts")
        where = f"hooks.{event}"
        entries = _list(scripts, where)
        hooks[event] = tuple(_script(entry, where) for entry in entries)
        pairs = zip(entries, hooks[event], strict=True)
        if sum(script.timeout for entry, script in pairs if "timeout" in entry) > LONGEST:
            raise AppSpecError(f"{where}: the timeouts together are over {LONGEST} seconds")
    return hooks


def _script(entry: Any, where: str) -> Script:
    entry = _mapping(entry, where)
    timeout = entry.get("timeout", LONGEST)
    if isinstance(timeout, str) and re.fullmatch("[0-9]{1,4}", timeout):
        timeout = int(timeout)
    if isinstance(timeout, bool) or not isinstance(timeout, int) or not 0 < timeout <= LONGEST:
        raise AppSpecError(f"{where}.timeout: must be 1 to {LONGEST} seconds")
    return Script(_path(entry.get("location"), f"{where}.location"), timeout)
