"""Functions: what parameters and mappings say is put in, what only the account knows stays a symbol."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from controlplane.declarations.cloudformation import symbols
from controlplane.declarations.cloudformation.resolve import NOTHING, Resolver
from controlplane.declarations.cloudformation.template import Template, read_template

HEAD = """
Parameters:
  Stage: {Type: String, Default: dev}
  Zones: {Type: CommaDelimitedList, Default: 'a, b'}
  Token: {Type: String, NoEcho: true, Default: hush}
  Image: {Type: 'AWS::SSM::Parameter::Value<String>', Default: /image}
  Branch: {Type: String}
Conditions:
  IsDev: !Equals [!Ref Stage, dev]
  IsMain: !Equals [!Ref Branch, main]
  Either: !Or [!Condition IsMain, !Condition IsDev]
  Both: !And [!Condition IsMain, !Not [!Condition IsDev]]
  Round: !Not [!Condition Round]
Mappings:
  Size: {dev: {count: '1'}}
Resources:
  It: {Type: X, Properties: {Value: %s}}
"""


def resolved(value: str, **parameters: str) -> Any:
    template = read_template(HEAD % value)
    where = ("Resources", "It", "Properties", "Value")
    resolver = Resolver(template, parameters)
    written: Any = template.resources["It"]
    made = resolver.tree(written["Properties"]["Value"], where)
    return resolver.findings[0].message if resolver.findings else made


@pytest.mark.parametrize(
    ("value", "says"),
    [
        ("!Ref Stage", "dev"),
        ("{Ref: Stage}", "dev"),
        ("!Ref AWS::Region", "${cfn.AWS::Region}"),
        ("!GetAtt Bucket.Arn", "${cfn.Bucket.Arn}"),
        ("{'Fn::GetAtt': [Bucket, Arn]}", "${cfn.Bucket.Arn}"),
        ("!Sub 'x-${Stage}-${Bucket}-${!literal}'", "x-dev-${cfn.Bucket}-${literal}"),
        ("!Sub ['${a}${Stage}', {a: !Ref Stage}]", "devdev"),
        ("!Join ['-', [a, !Ref Stage, !Ref AWS::NoValue, !Ref Bucket]]", "a-dev-${cfn.Bucket}"),
        ("!Join ['', !Ref Zones]", "ab"),
        ("!Select [1, !Ref Zones]", "b"),
        ("!FindInMap [Size, !Ref Stage, count]", "1"),
        ("!Select [1, !Split ['/', 'a/b/c']]", "b"),
        ("!Base64 abc", "YWJj"),
        ("!If [IsDev, yes, no]", "yes"),
        ("!If [Either, yes, no]", "yes"),
        ("!If [Both, yes, no]", "no"),
        ("[a, !If [IsDev, !Ref AWS::NoValue, b], c]", ["a", "c"]),
        ("{a: !If [IsDev, {b: !Ref Stage}, {}]}", {"a": {"b": "dev"}}),
    ],
)
def test_what_is_known_is_put_in(value: str, says: object) -> None:
    assert resolved(value) == says


@pytest.mark.parametrize(
    "value", ["!Ref Token", "!Ref Image", "!Ref Branch", "!ImportValue x", "!GetAZs ''"]
)
def test_a_secret_and_what_the_account_knows_stay_symbols(value: str) -> None:
    assert symbols.is_symbolic(resolved(value))


def test_a_given_parameter_counts_before_its_default() -> None:
    assert resolved("!Ref Stage", Stage="prod") == "prod"


def test_a_given_list_is_one() -> None:
    assert resolved("!Join ['-', !Ref Zones]", Zones="x, y") == "x-y"


@pytest.mark.parametrize(
    ("value", "long"),
    [
        ("!GetAtt Custom.my_key", {"Fn::GetAtt": ["Custom", "my_key"]}),
        ("!Sub '${Custom.my-key}'", {"Fn::GetAtt": ["Custom", "my-key"]}),
        ("!GetAtt [Custom, !Ref Stage]", {"Fn::GetAtt": ["Custom", {"Ref": "Stage"}]}),
        ("!FindInMap [Size, dev]", {"Fn::FindInMap": ["Size", "dev"]}),
        ("!Select ['²', [a]]", {"Fn::Select": ["²", ["a"]]}),
    ],
)
def test_what_cannot_be_said_here_is_written_back_as_it_was(value: str, long: object) -> None:
    assert symbols.to_intrinsic(resolved(value)) == long


def test_a_text_that_only_looks_like_a_symbol_is_written_as_it_is() -> None:
    text = "${cfn.Fn::ImportValue:%7B}"
    assert symbols.to_intrinsic(text) == text


@pytest.mark.parametrize(
    ("value", "said"),
    [
        ("!Ref [Stage]", "must name"),
        ("!Sub 'a${}'", "must name"),
        ("{'Fn::ForEach::Loop': [X, [a], {}]}", "get-template"),
        ("!Sub ['" + "${a}" * 2000 + "', {a: '" + "b" * 2000 + "'}]", "65536 characters"),
    ],
)
def test_what_would_come_out_wrong_is_refused(value: str, said: str) -> None:
    assert said in resolved(value)


def test_conditions_that_ask_for_each_other_twice_do_not_multiply() -> None:
    each = "".join(f"  C{n}: !And [!Condition C{n + 1}, !Condition C{n + 1}]\n" for n in range(60))
    template = read_template(f"Conditions:\n{each}  C60: !Equals [a, a]\nResources: {{}}\n")
    assert Resolver(template, {}).condition("C0") is True


def test_a_structure_that_hangs_on_what_is_unknown_is_refused_with_the_parameter() -> None:
    assert "--parameter Branch=..." in resolved("!If [IsMain, [a], [b]]")
    assert resolved("!If [IsMain, [a], [b]]", Branch="main") == ["a"]


def test_a_condition_of_itself_is_not_known() -> None:
    assert symbols.is_symbolic(resolved("!If [Round, a, b]"))


def test_joins_that_multiply_are_bounded() -> None:
    value = "a" * 90
    for _ in range(4):
        value = f"!Join ['{'b' * 40}', [{', '.join([value] * 6)}]]"
    assert "65536 characters" in resolved(value)


nodes = st.recursive(
    st.text(max_size=8) | st.sampled_from(["Stage", "IsDev", "Bucket.Arn", "${Stage}", "0"]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                ["Ref", "Fn::If", "Fn::Sub", "Fn::Join", "Fn::Select", "Fn::Split", "a"]
            ),
            inner,
            max_size=2,
        )
    ),
    max_leaves=12,
)


@given(nodes)
def test_no_template_breaks_it(node: object) -> None:
    template = Template(read_template(HEAD % "x").document, conditions={"IsDev": {"Fn::And": node}})
    made = Resolver(template, {}).tree(node, ())
    assert made is NOTHING or isinstance(made, (str, list, dict))


@given(st.text(max_size=20), st.text(max_size=20))
def test_a_symbol_is_spelled_back_as_the_function_it_was(before: str, after: str) -> None:
    argument = ["x", {"a": '"}'}]
    text = before + symbols.reference("Bucket.Arn") + symbols.other("Fn::Cidr", argument) + after
    written: Any = symbols.to_intrinsic(text)
    assert written["Fn::Sub"][1] == {"Value1": {"Fn::Cidr": argument}}
    assert "${Bucket.Arn}${Value1}" in written["Fn::Sub"][0]


def test_one_symbol_alone_is_one_function() -> None:
    assert symbols.to_intrinsic("${cfn.Bucket}") == {"Ref": "Bucket"}
    assert symbols.to_intrinsic("${cfn.Bucket.Arn}") == {"Fn::GetAtt": ["Bucket", "Arn"]}
    assert symbols.to_intrinsic("no ${symbol}") == "no ${symbol}"
