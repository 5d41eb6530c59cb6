"""What a vendor said, fit for a log: bounded, one line, without credentials."""

import re

LONGEST = 500

SECRETS: tuple[tuple[re.Pattern[str], str], ...] = (
    # STS adds it to a refusal; it can be decoded by those who may, and it is very long.
    (re.compile(r"\s*Encoded authorization failure message:.*", re.DOTALL | re.IGNORECASE), ""),
    # https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_identifiers.html#identifiers-unique-ids
    (re.compile(r"\b(?:AKIA|ASIA)[A-Z0-9]{12,}\b"), "(access key)"),
    (re.compile(r"\?[^\s\"']*X-Amz-[^\s\"']*", re.IGNORECASE), "?(signed)"),
    (re.compile(r"(?i)(//)[^\s@]+:[^\s@]+@"), r"\1"),
    (
        re.compile(
            r"(?i)\b((?:x-amz-security-|session[ _-]?)?token|secret(?:[ _-]?access)?(?:[ _-]?key)?"
            r"|password|signature|authorization|external[ _-]?id)(\s*[=:]\s*)(?!arn:)[^\s,;]+"
        ),
        r"\1\2(hidden)",
    ),
    # A session token, or a secret key (40 characters; a git commit's 40 are hexadecimal).
    (re.compile(r"[A-Za-z0-9/+=]{120,}"), "(hidden)"),
    (
        re.compile(
            r"(?<![A-Za-z0-9/+=:._-])(?![0-9a-f]{40}\b)[A-Za-z0-9/+]{40}(?![A-Za-z0-9/+=:._-])"
        ),
        "(hidden)",
    ),
)


def hidden(text: str) -> str:
    """Answer text without what looks like a credential; its lines and its length stay as they are."""
    for pattern, instead in SECRETS:
        text = pattern.sub(instead, text)
    return text


def redacted(text: str, longest: int = LONGEST) -> str:
    """Answer text without what looks like a credential: one line, at most that many characters."""
    for pattern, instead in SECRETS:
        text = pattern.sub(instead, text[: 20 * LONGEST])
    text = " ".join(text.split())
    return text if len(text) <= longest else f"{text[:longest]}..."
