"""A template's text -> its sections, each where it stands; both spellings of functions are one here."""

from dataclasses import dataclass, field
from types import MappingProxyType

from accounts.yaml_text import Document, Path, read
from controlplane.declarations.findings import Finding

MAX_BYTES = 1024 * 1024
"""CloudFormation's own limit for a template in S3."""
PIPELINE = "AWS::CodePipeline::Pipeline"

LONG = (
    "And",
    "Base64",
    "Cidr",
    "Equals",
    "FindInMap",
    "ForEach",
    "GetAZs",
    "GetAtt",
    "If",
    "ImportValue",
    "Join",
    "Length",
    "Not",
    "Or",
    "Select",
    "Split",
    "Sub",
    "ToJsonString",
    "Transform",
)
"""https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/intrinsic-function-reference.html"""

TAGS = MappingProxyType(
    {
        "!Ref": "Ref",
        "!Condition": "Condition",
        **{f"!{name}": f"Fn::{name}" for name in LONG},
    }
)
FUNCTIONS = frozenset(TAGS.values()) - {"Condition"}


@dataclass(frozen=True, slots=True)
class Template:
    """What of a template bears on its pipelines. resources: by logical id, as they are written."""

    document: Document
    parameters: dict[str, object] = field(default_factory=dict)
    conditions: dict[str, object] = field(default_factory=dict)
    mappings: dict[str, object] = field(default_factory=dict)
    resources: dict[str, object] = field(default_factory=dict)
    findings: tuple[Finding, ...] = ()

    def of_type(self, kind: str) -> dict[str, dict[str, object]]:
        """Answer the resources of one type, in the order of the template."""
        return {
            name: resource
            for name, resource in self.resources.items()
            if isinstance(resource, dict) and resource.get("Type") == kind
        }


def is_template(data: object) -> bool:
    """Say whether what was read is a CloudFormation template at all."""
    return isinstance(data, dict) and isinstance(data.get("Resources"), dict)


def read_template(text: str) -> Template:
    """Read a template; UnreadableError where it is no YAML and no JSON."""
    document = read(text, MAX_BYTES, TAGS)
    data = document.data
    if not isinstance(data, dict) or not is_template(data):
        said = "is no CloudFormation template: it has no Resources"
        return Template(document, findings=(Finding((), said),))
    sections = {word: data.get(word, {}) for word in SECTIONS}
    wrong = [
        Finding((word,), "must be a map")
        for word, section in sections.items()
        if not isinstance(section, dict)
    ]
    found = {
        own: section if isinstance(section, dict) else {}
        for own, section in zip(SECTIONS.values(), sections.values(), strict=True)
    }
    return Template(document, findings=tuple(wrong), **found)


SECTIONS = {
    "Parameters": "parameters",
    "Conditions": "conditions",
    "Mappings": "mappings",
    "Resources": "resources",
}


def function(node: object) -> tuple[str, object] | None:
    """Answer the name and the argument where a node is an intrinsic function."""
    if isinstance(node, dict) and len(node) == 1:
        name, argument = next(iter(node.items()))
        if name in FUNCTIONS:
            return name, argument
    return None


def inside(path: Path, name: str) -> Path:
    """Where the argument of a function stands."""
    return (*path, name)
