"""What an approval may ask for: what nobody could fulfil is found before anybody waits for it."""

import pytest

from controlplane.declarations.approval_keys import ApprovalTerms, approval_terms
from controlplane.declarations.load import load_text, parse_text
from controlplane.declarations.yaml_spelling import to_yaml
from tests.controlplane.declarations.samples import changed, problems

PROD = "  - name: Prod\n"


def text(said: str, more: str = "") -> str:
    asks = f"- {{name: Ask, provider: Manual, {more}with: {{{said}}}}}"
    return changed((PROD, f"  - name: Gate\n    actions:\n      {asks}\n{PROD}"))


WELL = [
    "Quorum: 2",
    'Quorum: 2, Approvers: "group:release, anne"',
    "RequireComment: true, RemindAfter: 4h, AuthorMayApprove: false",
]
WRONG = [
    ("Quorum: 0", "Quorum: 0 is too small: at least 1"),
    ("Quorum: 21", "Quorum: 21 is too large: at most 20"),
    ('Quorum: "#{Release.ETag}"', "Quorum: must be written out, not be a variable"),
    ('Approvers: "anne, group:"', "Approvers: 'group:' names nobody: write names and group:NAME"),
    ('Approvers: "anne,, bo"', "Approvers: '' names nobody"),
    ('Approvers: [anne, "group:x"]', "names nobody: write names and group:NAME with commas"),
    ('Approvers: "anne, anne"', "Approvers: anne is there twice"),
    ('Quorum: 2, Approvers: "anne"', "Approvers: only 1 may approve, and Quorum asks for 2"),
    ("RemindAfter: 10s", "RemindAfter: 10s is too short: at least 300s"),
    ("RemindAfter: 8d", "RemindAfter: 8d is no sooner than the approval's end (10080 minutes)"),
    ("AuthorMayApprove: maybe", "AuthorMayApprove: 'maybe' is neither true nor false"),
    ("Qourum: 2", "Manual has no key 'Qourum' (did you mean 'Quorum'?)"),
]


@pytest.mark.parametrize("said", WELL)
def test_it_is_taken_and_said_again_without_loss(said: str) -> None:
    declared = load_text(text(said))
    assert parse_text(to_yaml(declared)) == declared


@pytest.mark.parametrize(("said", "problem"), WRONG)
def test_what_nobody_can_fulfil_is_named_with_its_place(said: str, problem: str) -> None:
    (found,) = problems(text(said))
    assert found.startswith("14:")
    assert problem in found


def test_strict_only_where_it_says_who() -> None:
    assert approval_terms({}) == ApprovalTerms()
    assert approval_terms({"RequireComment": "true"}).author
    assert not approval_terms({"Quorum": "1"}).author
    assert not approval_terms({"Approvers": "anne"}).author
    assert approval_terms({"Approvers": "anne", "AuthorMayApprove": "true"}).author


@pytest.mark.parametrize("given", [{"Quorum": "0"}, {"Quorum": "x"}, {"Approvers": "group:"}])
def test_what_cannot_be_read_lets_nobody_through(given: dict[str, str]) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 - any will do, none may be let through
        approval_terms(given)
