"""What a vendor said, fit for a log: bounded, one line, without credentials."""

import re
from typing import NamedTuple

LONGEST = 500


class Secret(NamedTuple):
    """What a credential looks like, and what stands in its place.

    words: one of them is in every text that it matches, in small letters (no i among those that are looked for
    in any case: Unicode has several). least: characters of the shortest match. So most texts are not searched.
    """

    words: tuple[str, ...]
    least: int
    pattern: re.Pattern[str]
    instead: str


SECRETS = (
    # STS adds it to a refusal; it can be decoded by those who may, and it is very long.
    Secret(
        ("encoded",),
        0,
        re.compile(r"\s*Encoded authorization failure message:.*", re.DOTALL | re.IGNORECASE),
        "",
    ),
    # https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_identifiers.html#identifiers-unique-ids
    Secret(("akia", "asia"), 16, re.compile(r"\b(?:AKIA|ASIA)[A-Z0-9]{12,}\b"), "(access key)"),
    Secret(("x-amz-",), 0, re.compile(r"\?[^\s\"']*X-Amz-[^\s\"']*", re.IGNORECASE), "?(signed)"),
    Secret(("//",), 0, re.compile(r"(?i)(//)[^\s@]+:[^\s@]+@"), r"\1"),
    Secret(
        ("token", "secret", "password", "gnature", "author", "external"),
        0,
        re.compile(
            r"(?i)\b((?:x-amz-security-|session[ _-]?)?token|secret(?:[ _-]?access)?(?:[ _-]?key)?"
            r"|password|signature|authorization|external[ _-]?id)(\s*[=:]\s*)(?!arn:)[^\s,;]+"
        ),
        r"\1\2(hidden)",
    ),
    # A session token, or a secret key (40 characters; a git commit's 40 are hexadecimal).
    Secret(("",), 120, re.compile(r"[A-Za-z0-9/+=]{120,}"), "(hidden)"),
    Secret(
        ("",),
        40,
        re.compile(
            r"(?<![A-Za-z0-9/+=:._-])(?![0-9a-f]{40}\b)[A-Za-z0-9/+]{40}(?![A-Za-z0-9/+=:._-])"
        ),
        "(hidden)",
    ),
)


def hidden(text: str) -> str:
    """Answer text without what looks like a credential; its lines and its length stay as they are."""
    low, length = text.casefold(), len(text)
    for words, least, pattern, instead in SECRETS:
        if length < least:
            continue
        for word in words:  # no any(): this is asked of every word that a vendor says
            if word in low:
                text = pattern.sub(instead, text)
                break
    return text


def redacted(text: str, longest: int = LONGEST) -> str:
    """Answer text without what looks like a credential: one line, at most that many characters."""
    text = " ".join(hidden(text[: 20 * LONGEST]).split())
    return text if len(text) <= longest else f"{text[:longest]}..."
