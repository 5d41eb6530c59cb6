"""The accounts as a YAML file declares them: read, checked, and every mistake named with its place.

The file:

    accounts:
      - name: prod
        id: "444444444444"        # quoted: as a number it would lose its leading zeros
        environment: prod
        regions: [eu-west-1]
        roles: {watch: arn:..., deploy: arn:..., rollback: arn:...}   # outputs of the stack
        externalId: ...
        artifactBucket: ...
        artifactKey: arn:...      # optional
"""

import difflib
from collections.abc import Iterator, Mapping
from pathlib import Path as File
from typing import Any

from pydantic import ValidationError

from accounts.base import AccountError
from accounts.checks import Problem, account_problems, repeated
from accounts.models import Account, Roles
from accounts.yaml_text import (
    Document,
    Path,
    Plain,
    Position,
    UnreadableError,
    is_nothing,
    read,
)

MAX_BYTES = 512 * 1024
"""The text of all accounts."""
SHOWN = 60
"""A value is shown up to this length: a message is a line."""
FINDINGS = 200

FIELDS = tuple(field.alias or name for name, field in Account.model_fields.items())
ROLES = tuple(Roles.model_fields)

HINTS: Mapping[str, str] = {
    "id": 'an account id is 12 digits in quotes: "012345678901"',
    "name": "a name is 1 to 63 letters, digits, dots, underscores or hyphens",
    "environment": "an environment is 1 to 63 letters, digits, dots, underscores or hyphens",
    "regions": "list at least one region: [eu-west-1]",
    "watch": "take the output WatchRoleArn of the account's stack",
    "deploy": "take the output DeployRoleArn of the account's stack",
    "rollback": "take the output RollbackRoleArn of the account's stack",
    "artifactKey": "take the output ArtifactKeyArn of the account's stack, or leave it out",
    "artifactBucket": "a bucket's name has 3 to 63 characters",
    "externalId": "an external id has 2 to 1224 characters",
}


class RegistryError(AccountError):
    """The declared accounts are wrong. findings: each mistake as `file:line:column: field: ...`."""

    def __init__(self, findings: list[str]) -> None:
        super().__init__("\n".join(findings), permanent=True)
        self.findings = tuple(findings)


def load_accounts(file: File) -> list[Account]:
    """Read the accounts from a file; RegistryError with all that is wrong, at once."""
    try:
        with file.open("rb") as stream:
            raw = stream.read(MAX_BYTES + 1)
    except OSError as error:
        message = f"{file}:1:1: accounts: cannot be read ({error.strerror}); name a readable file"
        raise RegistryError([message]) from error
    return parse_accounts(raw.decode("utf-8", "replace"), str(file))


def parse_accounts(text: str, file: str = "accounts.yaml") -> list[Account]:
    """Read the accounts from text; RegistryError with all that is wrong. file is only shown."""
    try:
        document = read(text, MAX_BYTES)
    except UnreadableError as error:
        raise RegistryError([_line(file, error.at, "accounts", str(error))]) from error
    accounts: dict[int, Account] = {}
    found = [(path, at, "is given twice; keep one of them") for path, at in document.duplicates]
    found += _check(document, accounts)
    if found:
        found.sort(key=lambda one: one[1])
        lines = [_line(file, at, _spelled(path), said) for path, at, said in found[:FINDINGS]]
        raise RegistryError(lines)
    return list(accounts.values())


def _check(
    document: Document, accounts: dict[int, Account]
) -> Iterator[tuple[Path, Position, str]]:
    """Find what is wrong; fills `accounts` with those that are well, by their index."""
    for path, said in _problems(_meant(document.data), accounts):
        yield path, document.position(path), said


def _problems(data: object, accounts: dict[int, Account]) -> Iterator[Problem]:
    if not isinstance(data, dict) or not isinstance(data.get("accounts"), list):
        yield ("accounts",), "is missing; the file holds `accounts:` and a list of accounts"
        return
    for key in data:
        if key != "accounts":
            yield (key,), _unknown(key, ("accounts",))
    names: dict[int, str] = {}
    for index, entry in enumerate(data["accounts"]):
        if isinstance(entry, dict) and isinstance(entry.get("name"), str):
            names[index] = entry["name"]
        for path, said in _account(entry, index, accounts):
            yield ("accounts", index, *path), said
    for index, said in repeated(names):
        yield ("accounts", index, "name"), said


def _account(entry: object, index: int, accounts: dict[int, Account]) -> Iterator[Problem]:
    if isinstance(entry, dict) and _is_number(entry.get("id")):
        # Its digits are still here, but the next tool to read the file may take 012 for octal.
        yield ("id",), f'is not quoted; quote it: "{_shown(entry["id"])}"'
    try:
        accounts[index] = Account.model_validate(_named(entry))
    except ValidationError as error:
        yield from _translated(error)
    else:
        yield from account_problems(accounts[index])


def _is_number(value: object) -> bool:
    return isinstance(value, Plain) and value.isdecimal()


def _meant(value: object) -> object:
    """None for what was left empty; all else is text here, and keeps its digits."""
    if isinstance(value, dict):
        return {key: _meant(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_meant(item) for item in value]
    return None if is_nothing(value) else value


def _named(entry: object) -> object:
    """Only the file's own spelling (externalId): the fields' Python names are no keys here."""
    if not isinstance(entry, dict):
        return entry
    return {(f"{key} " if key in _PYTHON_ONLY else key): value for key, value in entry.items()}


_PYTHON_ONLY = frozenset(Account.model_fields) - frozenset(FIELDS)


def _translated(error: ValidationError) -> Iterator[Problem]:
    """Say what pydantic found in our words and with the mend."""
    for one in error.errors(include_url=False, include_context=False):
        path = tuple(p.strip() if isinstance(p, str) else p for p in one["loc"])
        yield path, _said(path, one["type"], one["input"])


def _said(path: Path, kind: str, value: Any) -> str:
    name = next((str(p) for p in reversed(path) if isinstance(p, str)), "")
    hint = HINTS.get(name, "see the example in deploy/README.md")
    if kind == "extra_forbidden":
        return _unknown(name, ROLES if path[0] == "roles" else FIELDS)
    if kind == "missing":
        return f"is missing; {hint}"
    if isinstance(value, str):
        return f"is {_shown(value)!r}, which it can not be; {hint}"
    return f"is {_kind(value)}, which it can not be; {hint}"


def _kind(value: object) -> str:
    return {dict: "a mapping", list: "a list", type(None): "empty"}.get(type(value), "a value")


def _unknown(key: str, known: tuple[str, ...]) -> str:
    near = difflib.get_close_matches(key, known, 1)
    mend = f"did you mean {near[0]}?" if near else f"known: {', '.join(known)}"
    return f"is not a field; {mend}"


def _shown(value: str) -> str:
    return value if len(value) <= SHOWN else f"{value[:SHOWN]}..."


def _spelled(path: Path) -> str:
    """accounts[2].roles.watch."""
    text = "".join(f"[{p}]" if isinstance(p, int) else f".{_printable(p)}" for p in path)
    return text.lstrip(".") or "accounts"


def _printable(key: str) -> str:
    return _shown("".join(c if c.isprintable() and c != ":" else "?" for c in key))


def _line(file: str, at: Position, field: str, said: str) -> str:
    return f"{file}:{at.line}:{at.column}: {field}: {' '.join(said.split())}"
