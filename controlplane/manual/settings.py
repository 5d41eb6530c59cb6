"""The settings: their names, types and defaults from the model, what they say from its docstring."""

import re
from collections.abc import Mapping
from inspect import cleandoc
from typing import Any

from pydantic import SecretStr
from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined

from controlplane.manual.words import code, page, table
from controlplane.settings import Settings

ABOUT = """\
Variables of the environment of `towpath serve` and `towpath worker`; the same for every replica. AWS's own
variables (`AWS_PROFILE`, `AWS_REGION` ...) are boto3's. A setting that cannot be is named at the start, with
the mend."""

ENTRY = re.compile(r"(?:(?<=\. )|^)([a-z_]+(?:, [a-z_]+)*): ", re.MULTILINE)
"""Where the words on one or several settings begin: at a line's start, or behind a full stop."""


def settings_page() -> str:
    """Answer the page of all settings."""
    said = what_is_said()
    rows = [
        (code(f"TOWPATH_{name.upper()}"), said.get(name, ""), _default(field))
        for name, field in Settings.model_fields.items()
    ]
    return page("Settings", ABOUT, table(("variable", "what it says", "default"), rows))


def what_is_said() -> Mapping[str, str]:
    """The words on each setting; several settings may share them."""
    parts = ENTRY.split(cleandoc(Settings.__doc__ or ""))
    found: dict[str, str] = {}
    for names, words in zip(parts[1::2], parts[2::2], strict=True):
        known = [name for name in names.split(", ") if name in Settings.model_fields]
        found |= dict.fromkeys(known, " ".join(words.split()))
    return found


def _default(field: FieldInfo) -> str:
    value: Any = field.default
    if isinstance(value, SecretStr) or value in (None, "", {}, (), PydanticUndefined):
        return ""
    return code(str(value).lower() if isinstance(value, bool) else value)
