"""Accounts in YAML: every mistake has its place, its field and its mend, all of them at once."""

import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from accounts.declared import MAX_BYTES, RegistryError, load_accounts, parse_accounts

GOOD = """\
accounts:
  - name: prod
    id: "444444444444"
    environment: prod
    regions: [eu-west-1]
    roles:
      watch: arn:aws:iam::444444444444:role/TowpathWatch
      deploy: arn:aws:iam::444444444444:role/TowpathDeploy
      rollback: arn:aws:iam::444444444444:role/TowpathRollback
    externalId: towpath-prod
    artifactBucket: towpath-artifacts-444444444444
    artifactKey: arn:aws:kms:eu-west-1:444444444444:key/1234
"""
ANOTHER = GOOD.partition("\n")[2]
FINDING = re.compile(r"accounts\.yaml:[1-9]\d*:[1-9]\d*: [^\n:]+: [^\n]+")


def findings(text: str) -> tuple[str, ...]:
    with pytest.raises(RegistryError) as caught:
        parse_accounts(text)
    assert caught.value.permanent
    return caught.value.findings


def test_a_good_file_is_read() -> None:
    (account,) = parse_accounts(GOOD)
    assert (account.name, account.id, account.regions) == ("prod", "444444444444", ["eu-west-1"])
    assert account.external_id == "towpath-prod"


def test_the_example_of_the_onboarding_guide_is_a_good_file() -> None:
    guide = (Path(__file__).parents[2] / "deploy/README.md").read_text()
    (account,) = parse_accounts(guide.partition("```yaml\n")[2].partition("```")[0])
    assert account.name == "prod"


def test_a_file_is_named_in_its_findings(tmp_path: Path) -> None:
    file = tmp_path / "mine.yaml"
    file.write_text(GOOD.replace("environment: prod", "environment: ''"))
    with pytest.raises(RegistryError) as caught:
        load_accounts(file)
    assert caught.value.findings[0].startswith(f"{file}:4:18: accounts[0].environment: is ''")


def test_a_file_that_is_not_there_is_a_finding(tmp_path: Path) -> None:
    with pytest.raises(RegistryError, match=r"cannot be read .* name a readable file"):
        load_accounts(tmp_path / "none.yaml")


ROLE = "arn:aws:iam::444444444444:role/Towpath"
ONE_MISTAKE = [
    ('"444444444444"', "044444444444", "3:9", 'id: is not quoted; quote it: "044444444444"'),
    ('"444444444444"', '"4444"', "3:9", "id: is '4444', which it can not be; an account id is"),
    ("[eu-west-1]", "[eu-west-11]", "5:15", "regions[0]: 'eu-west-11' is not a region of AWS; did"),
    ("[eu-west-1]", "[]", "5:14", "regions: is a list, which it can not be; list at least one"),
    ("[eu-west-1]", "[eu-west-1, eu-west-1]", "5:26", "regions[1]: names eu-west-1 again"),
    (f"{ROLE}Deploy", "arn:aws:iam::555555555555:role/D", "8:15", "roles.deploy: is of 5555"),
    (f"{ROLE}Watch", "arn:aws:iam::444444444444:user/W", "7:14", "roles.watch: is not the ARN"),
    (f"{ROLE}Watch", "arn:aws-cn:iam::444444444444:role/W", "7:14", "roles.watch: is in partition"),
    ("key/1234", "alias/mine", "12:18", "artifactKey: is not the ARN of a key"),
    ("externalId", "externalID", "10:17", "externalID: is not a field; did you mean externalId?"),
    ("externalId", "external_id", "10:18", "external_id: is not a field; did you mean externalId"),
    ("rollback:", "rolback:", "9:16", "roles.rolback: is not a field; did you mean rollback?"),
    ("    environment: prod\n", "", "2:5", "environment: is missing; an environment is"),
    ("name: prod\n", "name: prod\n    name: prod\n", "3:5", "name: is given twice; keep one"),
]


@pytest.mark.parametrize(("old", "new", "at", "said"), ONE_MISTAKE)
def test_a_mistake_is_said_with_its_place_and_mend(old: str, new: str, at: str, said: str) -> None:
    wanted = f"accounts.yaml:{at}: accounts[0].{said}"
    assert any(one.startswith(wanted) for one in findings(GOOD.replace(old, new, 1)))


def test_a_file_without_accounts_says_what_it_should_hold() -> None:
    (one,) = findings(GOOD.replace("accounts:", "account:", 1))
    assert one.startswith("accounts.yaml:1:1: accounts: is missing; the file holds `accounts:`")


def test_what_is_no_yaml_is_said_at_its_place() -> None:
    (one,) = findings(GOOD.replace("[eu-west-1]", "[eu-west-1", 1))
    assert one.startswith("accounts.yaml:6:")


def test_all_mistakes_are_said_at_once_and_in_order() -> None:
    text = GOOD.replace("eu-west-1]", "eu-west-9]").replace("key/1234", "x") + "extra: 1\n"
    lines = [int(one.split(":")[1]) for one in findings(text)]
    assert lines == [5, 12, 13]


def test_a_name_can_be_used_once_however_it_is_written() -> None:
    (one,) = findings(GOOD + ANOTHER.replace("name: prod", "name: Prod"))
    assert one.startswith("accounts.yaml:13:11: accounts[1].name: Prod is taken by accounts[0]")


def test_an_id_that_is_no_number_is_not_told_to_be_quoted() -> None:
    (one,) = findings(GOOD.replace('"444444444444"', "prod"))
    assert "id: is 'prod', which it can not be" in one


@pytest.mark.parametrize("nothing", ["", "~", "null"])
def test_what_is_left_empty_is_nothing(nothing: str) -> None:
    (account,) = parse_accounts(GOOD[: GOOD.index("arn:aws:kms")] + nothing)
    assert account.artifact_key is None
    (one,) = findings(GOOD.replace(f"{ROLE}Watch", nothing))
    assert "roles.watch: is empty, which it can not be; take the output" in one


def test_what_was_written_in_quotes_is_not_nothing() -> None:
    assert parse_accounts(GOOD.replace("name: prod", 'name: "null"'))[0].name == "null"


def test_digits_without_quotes_stay_as_they_were_written() -> None:
    assert parse_accounts(GOOD.replace("name: prod", "name: 0070"))[0].name == "0070"


def test_accounts_are_written_out_not_shared() -> None:
    (one,) = findings(GOOD.replace("roles:\n", "roles: &roles\n"))
    assert one.startswith("accounts.yaml:6:12: accounts: an anchor (&) is not read here: write")


@pytest.mark.parametrize("text", ["", "# only a comment\n", "---\n"])
def test_an_empty_file_says_what_it_should_hold(text: str) -> None:
    (one,) = findings(text)
    assert one.endswith("accounts: is missing; the file holds `accounts:` and a list of accounts")


def test_a_file_too_large_is_not_parsed() -> None:
    (one,) = findings("#" * (MAX_BYTES + 1))
    assert "is larger than 512 KiB" in one


def test_a_bomb_of_aliases_is_refused_before_it_grows() -> None:
    bomb = "a0: [x, x, x, x, x, x, x, x, x, x]\n" + "".join(
        f"a{n}: [{', '.join([f'*a{n - 1}'] * 10)}]\n" for n in range(1, 9)
    )
    (one,) = findings(bomb)
    assert one.startswith("accounts.yaml:2:6: accounts: an alias (*) is not read here")


@pytest.mark.parametrize("text", ["[" * 5000, "{a: " * 2000, "- " * 3000])
def test_deep_nesting_is_refused(text: str) -> None:
    (one,) = findings(text)
    assert "nested deeper" in one


def test_a_value_that_is_shown_is_short() -> None:
    (one,) = findings(GOOD.replace("name: prod", f"name: {'x' * 4000}"))
    assert len(one) < 300


@given(st.text(max_size=300))
def test_no_text_is_more_than_findings(text: str) -> None:
    assert all(FINDING.fullmatch(one) for one in findings(text))


@given(st.data())
def test_no_edit_of_a_good_file_crashes(data: st.DataObject) -> None:
    start = data.draw(st.integers(0, len(GOOD)))
    end = data.draw(st.integers(start, min(len(GOOD), start + 40)))
    edited = (
        GOOD[:start] + data.draw(st.text("abc:&*[]{}\"'#\n <-!|>0%@é\t", max_size=12)) + GOOD[end:]
    )
    try:
        accounts, found = parse_accounts(edited), tuple[str, ...]()
    except RegistryError as error:
        accounts, found = [], error.findings
    assert all(FINDING.fullmatch(one) for one in found)
    assert all(account.id.isdigit() for account in accounts)
