"""Text comes from outside: bounded, and never anything but a pipeline or problems."""

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from accounts.yaml_text import Position, read
from controlplane.declarations.findings import MOST
from controlplane.declarations.load import MAX_BYTES, DeclarationError, parse_text
from controlplane.declarations.meaning import resolve
from tests.controlplane.declarations.samples import SMALL, changed, problems

TREES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["pipeline", "stages", "actions", "bake", "signals", "with", "name"]),
            inner,
        )
    ),
)


def test_a_text_that_is_too_large_is_refused_before_it_is_parsed() -> None:
    assert problems("[" * (MAX_BYTES + 1)) == ["1:1: is larger than 256 KiB: split it up"]


def test_a_text_that_is_nested_too_deeply_is_refused_while_it_is_read() -> None:
    assert problems("a: " + "[" * 200_000)[0].endswith("is nested deeper than 32 levels")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("pipeline: p\nstages: [" + "{}," * 80_000 + "]", "holds more than 21845 values"),
        ("stages: [" + "{}," * 20_000 + "]", "is missing"),
        ("k: v\n" * 20_000, "is there twice"),
    ],
)
def test_a_text_that_is_only_work_is_cut_short(text: str, said: str) -> None:
    found = problems(text)
    assert any(said in one for one in found) and len(found) <= 3 * MOST


@pytest.mark.parametrize(
    ("written", "read_as"),
    [("\\ud83d\\ude00", "😀"), ("\\\\ud83d\\\\ude00", "\\ud83d\\ude00"), ("\\t\\u00e9", "\té")],
)
def test_json_may_write_any_character_by_its_escapes(written: str, read_as: str) -> None:
    assert read(f'{{"a": "{written}"}}', MAX_BYTES).data == {"a": read_as}


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("a: &x [1]\nb: *x\n", "1:4: an anchor (&) is not read here"),
        ("a: *x\n", "1:4: an alias (*) is not read here"),
        ("a: !!python/object:os.system 1\n", "1:4: a tag"),
        ("a: 1\n---\nb: 2\n", "2:1: a second document begins here"),
        ("? [a]\n: 1\n", "1:3: a key must be text"),
        ("", "1:1: is empty: it needs at least `pipeline:`"),
        ("# only a comment\n", "1:1: is empty"),
        ("a: 1\nb: \x01\n", "2:4: holds a character"),
        ("a:\n\t- b\n", "2:1: holds a tab: indent with spaces"),
        ("- just\n- a list\n", "1:1: must be a map"),
    ],
)
def test_what_is_no_plain_yaml_is_refused_where_it_stands(text: str, said: str) -> None:
    assert problems(text)[0].startswith(said)


def test_a_mistake_of_syntax_stands_alone() -> None:
    (said,) = problems(changed(("runOrder: 2", "runOrder: [2"), ("provider: S3", "provider: S9")))
    assert said.startswith("23:")


def test_a_key_that_is_there_twice_is_told_at_the_second_one() -> None:
    assert problems(
        changed(("        runOrder: 3", "        runOrder: 3\n        runOrder: 4"))
    ) == ["28:9: stages.Prod.actions.Canary.runOrder: is there twice: keep one of them"]


def test_unquoted_scalars_keep_their_digits_until_a_number_is_asked_for() -> None:
    data = read(
        "a: 012345678901\nb: 0.050\nc: [1, 1.5, true, ~, 012, 2026-06-01]\n", MAX_BYTES
    ).data
    assert data == {
        "a": "012345678901",
        "b": "0.050",
        "c": ["1", "1.5", "true", "~", "012", "2026-06-01"],
    }
    assert resolve(data["c"]) == [1, 1.5, True, None, "012", "2026-06-01"]


def test_what_does_not_exist_stands_where_its_surroundings_are() -> None:
    document = read("a:\n  b: 1\n", MAX_BYTES)
    assert document.position(("a", "c", "d")) == Position(2, 3)
    assert document.position(("a",), key=True) == Position(1, 1)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("[App]", "[" + ", ".join(f"App{i}" for i in range(20_000)) + "]"),
        ("{CanaryName", "{" + "".join(f"CanaryName{i}: 1, " for i in range(9_000)) + "CanaryName"),
        ("blue}", "'" + "#{Rel.x}" * 20_000 + "#{" * 30_000 + "'}"),
        ("stages:", "stages:\n" + "  - {}\n" * 20_000),
        ("pipeline: shop", "pipeline: shop\nvariables: [" + "~," * 50_000 + "]"),
    ],
)
@pytest.mark.timeout(30)
def test_a_text_full_of_mistakes_is_told_of_enough_of_them(old: str, new: str) -> None:
    assert 1 <= len(problems(changed((old, new)))) <= 3 * MOST


def test_folded_text_holds_nothing_that_was_not_written() -> None:
    assert read("a: >-\n  one\n  two\n", MAX_BYTES).data == {"a": "one two"}


@given(st.text(max_size=200))
@example("{\ud800")
@example("%YAML 9.9\n---\n")
@example("a: ''''\n'")
def test_any_text_is_a_pipeline_or_a_declaration_error(text: str) -> None:
    with pytest.raises(DeclarationError):
        parse_text(text)


@given(TREES)
def test_any_tree_of_our_words_is_a_pipeline_or_problems_with_places(tree: object) -> None:
    for said in problems(repr(tree).replace("None", "null")):
        assert said.split(":")[0].isdecimal()


@given(st.integers(0, len(SMALL) - 1), st.integers(1, 40))
def test_a_pipeline_with_a_piece_missing_is_told_about_not_crashed_on(at: int, size: int) -> None:
    assert all(": " in said for said in problems(SMALL[:at] + SMALL[at + size :]))
