"""Globs: CodePipeline's documented examples, and what holds for every pattern."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from controlplane.declarations.globs import GlobError, matches, parse

DOCUMENTED = [
    # https://docs.aws.amazon.com/codepipeline/latest/userguide/syntax-glob.html
    ("*.java", ["A.java", ".java"], ["A.class", "src/A.java", "A.javac"]),
    ("*.*", ["a.b", ".env", "a."], ["Makefile"]),
    ("*.{java,class}", ["A.java", "A.class"], ["A.jar", "A.java,class"]),
    ("foo.?", ["foo.c"], ["foo.", "foo.cc", "foo./"]),
    ("my-file.jar", ["my-file.jar"], ["lib/my-file.jar"]),
    ("directory/my-file.jar", ["directory/my-file.jar"], ["directory/sub/my-file.jar"]),
    ("**", ["a", "a/b/c", ""], []),
    ("directory/**", ["directory/a", "directory/a/b"], ["directory", "directories/a"]),
    ("directory/*", ["directory/a"], ["directory/a/b"]),
    ("[a-c]x", ["ax", "cx"], ["dx", "x"]),
    ("[!a-c]x", ["dx"], ["ax", "/x"]),
    ("[-a]", ["-", "a"], ["b"]),
    ("[!-a]", ["b"], ["-", "a"]),
    ("[*?\\]", ["*", "?", "\\"], ["a"]),
    ("a\\*b", ["a*b"], ["axb"]),
    ("a\\{b\\}", ["a{b}"], ["ab"]),
    # What the pages of triggers show.
    ("feature*", ["feature", "feature-1"], ["feature/1", "my-feature"]),
    ("feature/**", ["feature/1", "feature/1/2"], ["feature"]),
    ("release-{1,2*}.[0-9]", ["release-1.0", "release-23.9"], ["release-3.0", "release-1.10"]),
    ("**/README.md", ["docs/README.md", "a/b/README.md"], ["README.md"]),
]


@pytest.mark.parametrize(("pattern", "yes", "no"), DOCUMENTED)
def test_documented_patterns(pattern: str, yes: list[str], no: list[str]) -> None:
    assert [text for text in yes if not matches(pattern, text)] == []
    assert [text for text in no if matches(pattern, text)] == []


@pytest.mark.parametrize(
    "pattern", ["", "{a", "{a,{b}}", "[a", "[]", "a\\", "[z-a]", "[a/b]", "{a,b}" * 7]
)
def test_what_means_nothing_is_refused_with_the_mend(pattern: str) -> None:
    with pytest.raises(GlobError, match=r": write|wrong way round"):
        parse(pattern)


def naive(pattern: str, text: str) -> bool:
    """The definition, by trying everything. Patterns of a, b, /, ? and stars."""
    if not pattern:
        return not text
    if pattern.startswith("*"):
        deep, rest = pattern.startswith("**"), pattern.lstrip("*")
        ends = [n for n in range(len(text) + 1) if deep or "/" not in text[:n]]
        return any(naive(rest, text[n:]) for n in ends)
    if not text:
        return False
    one = text[0] != "/" if pattern[0] == "?" else text[0] == pattern[0]
    return one and naive(pattern[1:], text[1:])


@given(st.text("ab/?*", min_size=1, max_size=8), st.text("ab/", max_size=8))
def test_it_is_what_trying_everything_says(pattern: str, text: str) -> None:
    assert matches(pattern, text) == naive(pattern, text)


@given(st.text(min_size=1, max_size=30))
def test_an_escaped_name_is_itself_and_nothing_else(name: str) -> None:
    escaped = "".join(f"\\{character}" for character in name)
    assert matches(escaped, name)
    assert not matches(escaped, f"{name}x")


@given(st.lists(st.text("ab*?/", min_size=1, max_size=4), min_size=1, max_size=4), st.text("ab/"))
def test_a_group_is_its_alternatives(choices: list[str], text: str) -> None:
    assert matches(f"{{{','.join(choices)}}}", text) == any(matches(one, text) for one in choices)


@given(st.text(max_size=255))
def test_whatever_is_written_is_read_or_refused(pattern: str) -> None:
    try:
        parse(pattern)
    except GlobError:
        return
    matches(pattern, "a/b")


def test_a_pattern_made_to_be_slow_is_not() -> None:
    assert not matches("**a" * 60 + "b", "a" * 255)
