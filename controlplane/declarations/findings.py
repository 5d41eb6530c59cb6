"""What is wrong with a declaration, and where: the words that reading and validating share."""

from collections.abc import Iterable
from dataclasses import dataclass
from difflib import get_close_matches

from accounts.yaml_text import Path

MOST = 200
"""Findings that are told at once: a text from outside may hold tens of thousands."""
MANY = 8
"""More names than this are not listed where one was probably meant."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that is wrong. message says what, and the mend.

    path: from the declaration's top, in CodePipeline's spelling: ("stages", 1, "name").
    at_key: it is the key itself that is wrong, not its value.
    """

    path: Path
    message: str
    at_key: bool = False


def meant(word: str, known: Iterable[str]) -> str:
    """End a sentence about an unknown word: what was probably meant, and what is known."""
    names = list(dict.fromkeys(known))
    close = closest(word, names)
    guess = f" (did you mean {close!r}?)" if close else ""
    if not names or (close and len(names) > MANY):
        return guess
    return f"{guess}; known: {', '.join(names)}"


def closest(word: str, known: Iterable[str]) -> str | None:
    """Find the known word that is most like this one, whatever its case; None where none is."""
    lowered = {name.lower(): name for name in known}
    found = get_close_matches(word.lower(), lowered, n=1, cutoff=0.6)
    return lowered[found[0]] if found else None
