"""The three spellings of one model: which one a text is in, and how a declaration is written in each."""

from collections.abc import Mapping

from accounts.yaml_text import UnreadableError, read
from controlplane.declarations import api_spelling, yaml_spelling
from controlplane.declarations.cloudformation import writing
from controlplane.declarations.cloudformation.reading import Imported, import_template, symbolic
from controlplane.declarations.cloudformation.template import MAX_BYTES, TAGS, is_template
from controlplane.declarations.load import parse_text
from controlplane.declarations.spelling import Spelling


def import_text(
    text: str, file: str, parameters: Mapping[str, str] | None = None
) -> list[Imported]:
    """Read the pipelines of a text, in whichever spelling; DeclarationError where it is refused.

    A template may hold several; parameters are a template's.
    """
    try:
        data = read(text, MAX_BYTES, TAGS).data
    except UnreadableError:
        data = None  # whoever reads it in earnest says why
    if data is None or is_template(data):
        return import_template(text, file, parameters)
    declaration = parse_text(text, file)
    left = symbolic(declaration.model_dump(mode="json", by_alias=True))
    notes: tuple[str, ...] = ()
    if isinstance(data, dict) and "metadata" in data:
        notes = ("metadata is CodePipeline's own record of the pipeline and stays aside",)
    return [Imported("", declaration, notes, left)]


def export(imported: Imported, to: Spelling, *, exact: bool = False) -> tuple[str, list[str]]:
    """Write a pipeline; answers the text, and in sentences what has no counterpart there.

    exact: defaults that somebody had written are written again.
    """
    declaration = imported.declaration
    if to is Spelling.YAML:
        return yaml_spelling.to_yaml(declaration, exact=exact), []
    if to is Spelling.CODEPIPELINE:
        document, said = api_spelling.to_api(declaration)
        return api_spelling.dumps(document), said
    template, said = writing.to_cloudformation(declaration, imported.aside)
    return api_spelling.dumps(template), said
