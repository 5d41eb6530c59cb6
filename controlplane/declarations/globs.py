"""CodePipeline's glob patterns, matched in time that grows with the text and not with its tricks.

https://docs.aws.amazon.com/codepipeline/latest/userguide/syntax-glob.html
A pattern is the declarer's and a name is the pusher's, so no regular expression is made of either.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import product

MOST_ALTERNATIVES = 64


class GlobError(ValueError):
    """A pattern that means nothing; the message says what is wrong with it, and the mend."""


@dataclass(frozen=True, slots=True)
class Token:
    """One place of a pattern: one character of a set, or (star, deep) any number of characters.

    ranges: first and last characters; none means any. negated: a character that is in none of them.
    deep: it crosses "/".
    """

    ranges: tuple[tuple[str, str], ...] = ()
    negated: bool = False
    star: bool = False
    deep: bool = False

    def takes(self, character: str) -> bool:
        """True where the character fits here."""
        if self.star:
            return self.deep or character != "/"
        if not self.ranges:
            return character != "/"
        inside = any(first <= character <= last for first, last in self.ranges)
        return character != "/" and not inside if self.negated else inside


STAR, DEEP, ONE = Token(star=True), Token(star=True, deep=True), Token()
Tokens = tuple[Token, ...]


@lru_cache(maxsize=4096)
def parse(pattern: str) -> tuple[Tokens, ...]:
    """Read a pattern as its alternatives, one for each choice of its groups; GlobError."""
    if not pattern:
        raise GlobError("is empty: write a pattern, such as ** for everything")
    parts: list[list[Tokens]] = []
    place = 0
    while place < len(pattern):
        if pattern[place] == "{":
            choices, place = _group(pattern, place)
            parts.append(choices)
        else:
            token, place = _token(pattern, place)
            parts.append([(token,)])
    count = 1
    for part in parts:
        count *= len(part)
    if count > MOST_ALTERNATIVES:
        raise GlobError(f"has over {MOST_ALTERNATIVES} alternatives: write several patterns")
    return tuple(tuple(t for part in chosen for t in part) for chosen in product(*parts))


def matches(pattern: str, text: str) -> bool:
    """True where the whole text is of the pattern."""
    return any(_match(tokens, text) for tokens in parse(pattern))


def _match(tokens: Sequence[Token], text: str) -> bool:
    """Follow every place in the pattern that may come next, all at once."""
    at = set(_skip(tokens, 0))
    for character in text:
        following = set[int]()
        for place in at:
            if place < len(tokens) and tokens[place].takes(character):
                following.update(_skip(tokens, place if tokens[place].star else place + 1))
        if not following:
            return False
        at = following
    return len(tokens) in at


def _skip(tokens: Sequence[Token], place: int) -> Iterator[int]:
    """A star may be nothing."""
    yield place
    while place < len(tokens) and tokens[place].star:
        place += 1
        yield place


def _group(pattern: str, place: int) -> tuple[list[Tokens], int]:
    """Read {a,b} from its opening brace on."""
    choices: list[list[Token]] = [[]]
    place += 1
    while place < len(pattern):
        character = pattern[place]
        if character == "}":
            return [tuple(choice) for choice in choices], place + 1
        if character == "{":
            raise GlobError("has a group in a group: write the alternatives out")
        if character == ",":
            choices.append([])
            place += 1
            continue
        token, place = _token(pattern, place)
        choices[-1].append(token)
    raise GlobError("has a { that is not closed: write } behind it, or \\{ for the character")


def _token(pattern: str, place: int) -> tuple[Token, int]:
    character = pattern[place]
    if character == "*":
        end = place
        while end < len(pattern) and pattern[end] == "*":
            end += 1
        return (STAR if end == place + 1 else DEEP), end
    if character == "?":
        return ONE, place + 1
    if character == "[":
        return _set(pattern, place + 1)
    if character == "\\":
        if place + 1 == len(pattern):
            raise GlobError("ends with a backslash: write \\\\ for the character")
        return literal(pattern[place + 1]), place + 2
    return literal(character), place + 1


def literal(character: str) -> Token:
    """A character that stands for itself."""
    return Token(ranges=((character, character),))


def _set(pattern: str, place: int) -> tuple[Token, int]:
    """Read [a-z] behind its opening bracket; inside, * ? and backslash are themselves."""
    negated = pattern.startswith("!", place)
    place += negated
    end = pattern.find("]", place + 1)
    if end < 0:
        raise GlobError("has a [ that is not closed: write ] behind it, or \\[ for the character")
    ranges: list[tuple[str, str]] = []
    inside = pattern[place:end]
    if "/" in inside:
        raise GlobError("has a / in brackets, which cross no directory: write it outside")
    while inside:
        if len(inside) > 2 and inside[1] == "-":  # noqa: PLR2004 - a-z
            if inside[0] > inside[2]:
                raise GlobError(f"has the range {inside[:3]}, which is the wrong way round")
            ranges.append((inside[0], inside[2]))
            inside = inside[3:]
        else:
            ranges.append((inside[0], inside[0]))
            inside = inside[1:]
    return Token(tuple(ranges), negated=negated), end + 1
