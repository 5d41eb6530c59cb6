import io
import string

import pytest
from hypothesis import given
from hypothesis import strategies as st
from ruamel.yaml import YAML

from controlplane.sandbox.codedeploy.appspec import AppSpec, AppSpecError, Script, parse_appspec

GOOD = """
version: 0.0
os: linux
files:
  - source: /
    destination: /srv/shop
hooks:
  ValidateService:
    - {location: scripts/check.sh, timeout: "30", runas: root}
"""
plain = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(string.printable, max_size=9),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                ["version", "os", "files", "hooks", "source", "location", "timeout", "x"]
            ),
            inner,
            max_size=4,
        )
    ),
    max_leaves=12,
)


def test_files_and_hooks_are_read_as_they_are_written() -> None:
    spec = parse_appspec(GOOD)
    assert str(spec.files[0].destination) == "srv/shop"
    script = spec.hooks["ValidateService"][0]
    assert (str(script.location), script.timeout) == ("scripts/check.sh", 30)


@pytest.mark.parametrize(
    ("broken", "said"),
    [
        (GOOD.replace("0.0", "1.0"), "version"),
        (GOOD.replace("linux", "windows"), "os"),
        (GOOD.replace("/srv/shop", "srv/shop"), "absolute"),
        (GOOD.replace("/srv/shop", "/srv/../../etc"), "leaves its folder"),
        (GOOD.replace("scripts/check.sh", "../check.sh"), "leaves its folder"),
        (GOOD.replace("ValidateService", "Install"), "runs scripts"),
        (GOOD.replace('"30"', "0"), "timeout"),
        (GOOD.replace('"30"', "true"), "timeout"),
        (GOOD.replace('"30"', "3601"), "timeout"),
        (GOOD + "permissions:\n  - object: /\n", "permissions"),
        (GOOD + "file_exists_behavior: PERHAPS\n", "file_exists_behavior"),
        ("[" * 5000, "not YAML"),
        ("a" * 70_000, "larger"),
        ("&a [*a]", "mapping"),
    ],
)
def test_a_wrong_appspec_is_refused_with_its_place(broken: str, said: str) -> None:
    with pytest.raises(AppSpecError, match=said):
        parse_appspec(broken)


def test_the_scripts_of_an_event_may_take_an_hour_together() -> None:
    entry = "    - {location: more.sh, timeout: 3590}\n"
    with pytest.raises(AppSpecError, match="together"):
        parse_appspec(GOOD + entry)
    assert Script(parse_appspec(GOOD).files[0].source).timeout == 3600


@given(st.text(max_size=400))
def test_any_text_is_an_appspec_or_is_refused(text: str) -> None:
    _parse_or_refuse(text)


@given(plain, plain)
def test_any_document_is_an_appspec_or_is_refused(files: object, hooks: object) -> None:
    document = {"version": 0.0, "os": "linux", "files": files, "hooks": hooks}
    _parse_or_refuse(_dump(document))


def _parse_or_refuse(text: str) -> None:
    try:
        spec = parse_appspec(text)
    except AppSpecError:
        return
    assert isinstance(spec, AppSpec)
    for entry in spec.files:
        assert not entry.destination.is_absolute()
        assert ".." not in entry.source.parts + entry.destination.parts
    for script in (one for scripts in spec.hooks.values() for one in scripts):
        assert not script.location.is_absolute()
        assert ".." not in script.location.parts


def _dump(document: object) -> str:
    out = io.StringIO()
    YAML(typ="safe", pure=True).dump(document, out)
    return out.getvalue()
