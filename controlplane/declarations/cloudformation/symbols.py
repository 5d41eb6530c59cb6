"""What cannot be resolved stays symbolic: a piece of text that says what CloudFormation will put there.

`${cfn.Bucket}` is a Ref, `${cfn.Bucket.Arn}` a GetAtt, `${cfn.Fn::ImportValue:...}` any other function, its
argument as JSON, percent-encoded so that it may stand inside JSON. The form is not that of Fn::Sub,
so that a literal "${x}" of a pipeline is never taken for one.
"""

import json
import re
from urllib.parse import quote, unquote

TOKEN = re.compile(r"\$\{cfn\.((?:Fn::[A-Za-z0-9]+:[^{}]*)|[A-Za-z0-9:.]+)\}")
NAME = re.compile(r"[A-Za-z0-9:]+")
"""Of a parameter or a resource."""
_SAID = re.compile(r"[A-Za-z0-9:.]+")
_OTHER = re.compile(r"(Fn::[A-Za-z0-9]+):(.*)", re.DOTALL)


def reference(name: str) -> str:
    """Write a Ref ("Bucket"), or a GetAtt ("Bucket.Arn"); attributes of odd letters in the long form."""
    if _SAID.fullmatch(name) is None:
        return other("Fn::GetAtt", name.split(".", 1))
    return f"${{cfn.{name}}}"


def other(name: str, argument: object) -> str:
    """Write another function that was not evaluated."""
    text = json.dumps(argument, ensure_ascii=False, separators=(",", ":"))
    return f"${{cfn.{name}:{quote(text, safe='')}}}"


def is_symbolic(text: str) -> bool:
    """Say whether anything in it is left for CloudFormation to say."""
    return TOKEN.search(text) is not None


def symbols(text: str) -> list[str]:
    """Name what is left, for a person: "Bucket.Arn", "Fn::ImportValue"."""
    return [match[1].split(":%", 1)[0] for match in TOKEN.finditer(text)]


def named(text: str) -> str:
    """Answer the text with each symbol's own name in its place: where only a name may stand."""
    return TOKEN.sub(lambda match: re.sub(r"[^A-Za-z0-9@_-]+", "-", match[1].split(":%")[0]), text)


def to_intrinsic(text: str) -> object:
    """Spell a text as CloudFormation does: as it is, as one function, or as an Fn::Sub around them."""
    if not is_symbolic(text):
        return text
    whole = TOKEN.fullmatch(text)
    if whole is not None:
        return _function(whole[1])
    variables: dict[str, object] = {}
    written = ""
    end = 0
    for match in TOKEN.finditer(text):
        written += text[end : match.start()].replace("${", "${!")
        written += _inside_sub(match[1], variables)
        end = match.end()
    written += text[end:].replace("${", "${!")
    return {"Fn::Sub": [written, variables] if variables else written}


def _inside_sub(symbol: str, variables: dict[str, object]) -> str:
    if _OTHER.fullmatch(symbol) is None:
        return f"${{{symbol}}}"
    name = f"Value{len(variables) + 1}"
    variables[name] = _function(symbol)
    return f"${{{name}}}"


def _function(symbol: str) -> object:
    found = _OTHER.fullmatch(symbol)
    if found is not None:
        try:
            return {found[1]: json.loads(unquote(found[2]))}
        except (ValueError, RecursionError):
            return f"${{cfn.{symbol}}}"  # a text that only looks like one of ours
    if symbol.startswith("AWS::") or "." not in symbol:
        return {"Ref": symbol}
    return {"Fn::GetAtt": symbol.split(".", 1)}
