"""What can go wrong before a command has begun, in one line: what is wrong, and the mend. No traceback."""

import re
from difflib import get_close_matches

from pydantic import ValidationError
from pydantic_settings import SettingsError
from sqlalchemy.exc import ArgumentError, DatabaseError, NoSuchModuleError

from accounts.base import AccountError
from controlplane.cli.completing import pipelines
from controlplane.client.api import ApiError, Exit
from controlplane.settings import SettingError
from controlplane.store.database import UrlError
from controlplane.store.schema import SchemaError

EXPECTED = (
    AccountError, ApiError, ArgumentError, DatabaseError, NoSuchModuleError, SchemaError, SettingError,
    SettingsError, UrlError, ValidationError,
)  # fmt: skip
NAMES = "TOWPATH_SITES, _PROMETHEUS, _ALERTMANAGER, _CALENDARS, _DRILLS and _SLACK_PEOPLE"
UNKNOWN = re.compile(r"there is no pipeline '(?P<name>[^']+)'")
DATABASE = (
    "TOWPATH_DATABASE_URL: the database cannot be used ({}); SQLite is "
    "sqlite:///path/to/file.db, PostgreSQL is postgresql://user@host/name"
)


def sentence(error: Exception) -> str:
    """The line for a person."""
    if isinstance(error, ValidationError):
        return "\n".join(
            f"TOWPATH_{_path(one['loc'])}: {one['msg']} (it is {one['input']!r})"
            for one in error.errors(include_url=False)
            if not _is_secret(one["loc"])
        )
    if isinstance(error, ApiError):
        return f"{error}{_meant(str(error))}"
    if isinstance(error, UrlError):
        return f"TOWPATH_DATABASE_URL: {error}"
    if isinstance(error, SettingsError):
        return f'{NAMES} are JSON such as {{"name": "http://..."}}: {error}'
    if isinstance(error, (ArgumentError, DatabaseError, NoSuchModuleError)):
        cause = getattr(error, "orig", None) or error
        return DATABASE.format(str(cause).splitlines()[0])
    return str(error)


def _meant(said: str) -> str:
    """The pipelines that are nearly called so, among those that this token may see."""
    unknown = UNKNOWN.search(said)
    near = get_close_matches(unknown["name"], pipelines(""), n=3) if unknown else []
    return f": did you mean {' or '.join(near)}?" if near else ""


def _path(loc: tuple[int | str, ...]) -> str:
    """The variable, and where in its JSON."""
    return ": ".join([str(loc[0]).upper(), *([".".join(map(str, loc[1:]))] if loc[1:] else [])])


def _is_secret(path: tuple[int | str, ...]) -> bool:
    return any(word in str(path) for word in ("secret", "token"))


def code_of(error: Exception) -> Exit:
    """Its exit code."""
    return error.code if isinstance(error, ApiError) else Exit.REFUSED
