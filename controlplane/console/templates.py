"""The templates: everything that is put into one is escaped, and a misspelt name is an error."""

from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined, select_autoescape

HERE = Path(__file__).parent
STATIC = HERE / "static"

_environment = Environment(
    loader=FileSystemLoader(HERE / "templates"),
    autoescape=select_autoescape(default=True, default_for_string=True),
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)
_environment.globals["has_uplot"] = (STATIC / "vendor" / "uPlot.iife.min.js").exists()
_environment.globals["has_htmx"] = (STATIC / "vendor" / "htmx.min.js").exists()


def render(template: str, context: dict[str, Any]) -> str:
    """Fill a template in."""
    return _environment.get_template(template).render(context)


def compile_all() -> None:
    """Compile every template, which the first page would wait for."""
    for name in _environment.list_templates():
        _environment.get_template(name)
