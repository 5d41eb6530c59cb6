"""How a page is put together: a note on where it comes from, tables, and cells that Markdown leaves alone."""

from collections.abc import Iterable, Sequence


def page(title: str, *parts: str) -> str:
    """One page. It says of itself that nobody edits it."""
    made = "<!-- Made by `python -m controlplane.manual`: change the code, not this page. -->"
    return "\n\n".join([made, f"# {title}", *(part for part in parts if part)]) + "\n"


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A table; "" where it would have no row."""
    lines = [_line(row) for row in rows]
    if not lines:
        return ""
    return "\n".join([_line(head), _line(["---"] * len(head)), *lines])


def code(text: object) -> str:
    """As code, on one line."""
    return f"`{text}`" if str(text) else ""


def _line(cells: Sequence[str]) -> str:
    said = (cell.replace("|", "\\|").replace("\n", " ") for cell in cells)
    return f"| {' | '.join(said)} |"
