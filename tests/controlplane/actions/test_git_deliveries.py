"""Webhooks: who sent them, and what they tell. The bodies are real ones."""

import contextlib
import hashlib
import hmac
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from controlplane.actions.git.base import Told
from controlplane.actions.git.deliveries import READERS, BodyError, read
from controlplane.actions.git.signatures import is_genuine

REAL = Path("../shared/data/webhooks")


def body(name: str) -> Any:
    return json.loads((REAL / name).read_text())


def github(event: str, name: str) -> tuple[Told, ...]:
    return read("github", {"x-github-event": event}, body(f"github/octokit__{name}.payload.json"))


def test_a_push_to_github() -> None:
    given = body("go-scm/github/push.json")
    [told] = read("github", {"x-github-event": "push"}, given)
    assert (told.ref, told.commit, told.before) == (given["ref"], given["after"], given["before"])
    [commit] = given["commits"]
    assert told.files == (*commit["added"], *commit["modified"], *commit["removed"])


@pytest.mark.parametrize(
    ("kind", "name", "refs"),
    [
        ("gitlab", "tag_create", ["refs/tags/v1.0.0"]),
        ("gitlab", "tag_delete", []),
        ("gitlab", "branch_delete", []),
        ("bitbucket", "push_branch_create", None),
        ("bitbucket", "push_tag_delete", []),
        ("bitbucket", "pr_fulfilled", None),
        ("bitbucket", "pr_declined", None),
    ],
)
def test_what_came_and_what_went(kind: str, name: str, refs: list[str] | None) -> None:
    key = {"x-event-key": "repo:push" if name.startswith("push") else "pullrequest:fulfilled"}
    found = read(kind, key, body(f"go-scm/{kind}/{name}.json"))
    assert len(found) == 1 if refs is None else [one.ref for one in found] == refs


def test_a_ref_that_was_deleted_is_no_change() -> None:
    assert github("push", "push__1") == ()


def test_a_new_branch_has_nothing_before_it_and_its_files_are_asked_for() -> None:
    [told] = github("push", "push__with-new-branch")
    assert (told.before, told.files) == ("", None)


@pytest.mark.parametrize(
    ("name", "event"), [("synchronize", "UPDATED"), ("closed", "CLOSED"), ("labeled.with-organization", "")]
)  # fmt: skip
def test_pull_requests_of_github(name: str, event: str) -> None:
    found = github("pull_request", f"pull_request__{name}")
    assert [one.event for one in found] == ([event] if event else [])
    given = body(f"github/octokit__pull_request__{name}.payload.json")["pull_request"]
    for one in found:
        assert (one.commit, one.ref) == (given["head"]["sha"], f"refs/heads/{given['base']['ref']}")
        assert one.foreign is (
            given["head"]["repo"]["full_name"] != given["base"]["repo"]["full_name"]
        )


def test_a_push_to_gitlab_whose_commits_are_not_all_told() -> None:
    [told] = read("gitlab", {}, body("gitlab/goplayground__push-event.json"))
    assert (told.repository, told.ref) == ("mike/diaspora", "refs/heads/master")
    assert told.commit == "da1560886d4f094c3e6c9ef40349f7d38b5d27d7"
    assert told.files is None, "one of four commits is in the body"


def test_a_merge_request_of_gitlab() -> None:
    [told] = read("gitlab", {}, body("gitlab/goplayground__merge-request-event.json"))
    assert (told.event, told.number, told.ref) == ("OPEN", "1", "refs/heads/master")
    assert told.source == "ms-viewport"


def test_a_push_to_bitbucket() -> None:
    key = {"x-event-key": "repo:push"}
    [told] = read("bitbucket", key, body("bitbucket/goplayground__repo-push.json"))
    assert (told.repository, told.ref) == ("team_name/repo_name", "refs/heads/name-of-branch")
    assert told.files is None, "Bitbucket never tells files"


def test_a_pull_request_of_bitbucket() -> None:
    key = {"x-event-key": "pullrequest:created"}
    [told] = read("bitbucket", key, body("bitbucket/goplayground__pull-request-created.json"))
    assert (told.event, told.commit, told.foreign) == ("OPEN", "d3022fc0ca3d", False)
    assert (told.ref, told.source) == ("refs/heads/master", "branch2")


def test_every_real_body_is_read_or_tells_nothing() -> None:
    read_in_all = 0
    for path in REAL.glob("github/*.json"):
        event = path.name.partition("__")[2].partition("__")[0].removesuffix(".json")
        read("github", {"x-github-event": event.replace("-", "_")}, json.loads(path.read_text()))
        read_in_all += 1
    assert read_in_all > 50


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(
        ["push", "changes", "object_kind", "after", "ref", "repository", "pullrequest", "deleted"]
    ), inner, max_size=4),
    max_leaves=8,
)  # fmt: skip


@given(st.sampled_from(list(READERS)), st.sampled_from(["push", "pull_request", "repo:push"]), JSON)
def test_whatever_comes_is_read_or_refused(kind: str, event: str, given_body: Any) -> None:
    with contextlib.suppress(BodyError):
        read(kind, {"x-github-event": event, "x-event-key": event}, given_body)


def test_signatures_that_were_published_are_checked() -> None:
    checked = 0
    for one in json.loads((REAL / "signatures.json").read_text()):
        scheme = one["scheme"].partition(" ")[0]
        kind = {"github": "github", "bitbucket-server": "bitbucket"}.get(scheme)
        if kind is None or not (REAL / one.get("body_file", ".")).exists():
            continue
        sent = (
            (REAL / one["body_file"]).read_bytes() if "body_file" in one else one["body"].encode()
        )
        headers = {name.lower(): value for name, value in one["headers"].items()}
        assert is_genuine(kind, headers, sent, one["secret"]) is one["expected_valid"]
        assert not is_genuine(kind, headers, sent + b" ", one["secret"])
        checked += 1
    assert checked > 10


def test_gitlab_shows_its_secret_and_an_empty_secret_lets_nobody_in() -> None:
    assert is_genuine("gitlab", {"x-gitlab-token": "s"}, b"", "s")
    assert not is_genuine("gitlab", {"x-gitlab-token": "t"}, b"", "s")
    assert not is_genuine("gitlab", {"x-gitlab-token": ""}, b"", "")
    empty = f"sha256={hmac.new(b'', b'x', hashlib.sha256).hexdigest()}"
    assert not is_genuine("github", {"x-hub-signature-256": empty}, b"x", "")
