"""audit: who decided what; read, verified and written out. The chain is verified here, not by the server."""

import json
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Annotated, Any

import typer

from controlplane.cli.output import Form, FormOption, fail, show, table_of
from controlplane.client.api import Api, Exit

audit = typer.Typer(no_args_is_help=True, help="The audit log: who decided what, in a chain.")
PAGE = 500
LONGEST_LINE = 1_000_000
"""Characters of an entry in an export; a reason is far shorter."""


def register(app: typer.Typer) -> None:
    """Put the commands in."""
    app.add_typer(audit, name="audit")


@audit.command("list")
def list_(
    pipeline: Annotated[str, typer.Argument(help="of one pipeline; left out: all")] = "",
    after: Annotated[int, typer.Option(min=0, help="entries after this id")] = 0,
    output: FormOption = Form.TABLE,
) -> None:
    """Show entries, the oldest first."""
    found = list(_entries(after, pipeline))
    rows = ([e["id"], e["at"], e["who"], e["door"], e["kind"], _place(e), e["text"]] for e in found)
    show(output, found, table_of(["id", "at", "who", "door", "what", "where", ""], rows))


@audit.command()
def export() -> None:
    """Write every entry as JSON Lines, to be kept where nobody of Towpath's can write."""
    for entry in _entries(0, ""):
        typer.echo(json.dumps(entry, ensure_ascii=False, separators=(",", ":")))


@audit.command()
def verify(
    file: Annotated[Path | None, typer.Argument(help="an export; left out: ask the server")] = None,
    head: Annotated[
        str, typer.Option(help="ID:HASH as it was printed earlier: it must be in the chain")
    ] = "",
) -> None:
    """Walk the chain: exit 1 where an entry was changed, taken out, put in or moved. Prints its head."""
    from controlplane import chain

    seen = set()

    def noting(entries: Iterator[dict[str, Any]]) -> Iterator[dict[str, Any]]:
        for entry in entries:
            seen.add((entry.get("id"), entry.get("hash")))
            yield entry

    try:
        noted = chain.parse_head(head) if head else None
        last = chain.verify(noting(_lines(file) if file else _entries(0, "")))
    except chain.BrokenChainError as error:
        fail(f"the audit log was bent: {error}", Exit.REFUSED)
    except ValueError as error:
        fail(str(error), Exit.USAGE)
    if noted is not None and noted.id and tuple(noted) not in seen:
        fail(f"the audit log was bent: {noted} is not in it", Exit.REFUSED)
    typer.echo(f"{last.id} entries, the chain is whole. Its head, to be noted elsewhere:\n{last}")


def _entries(after: int, pipeline: str) -> Iterator[dict[str, Any]]:
    api = Api()
    while True:
        found = api.get("/audit", after=after, pipeline=pipeline, limit=PAGE)
        yield from found["entries"]
        if len(found["entries"]) < PAGE:
            return
        after = found["last"]


def _lines(file: Path) -> Iterator[dict[str, Any]]:
    """The entries of an export; ValueError names the line that is none."""
    try:
        with file.open(encoding="utf-8") as lines:
            number = 0
            while line := lines.readline(LONGEST_LINE):
                number += 1
                yield _entry(line, f"{file}:{number}")
    except OSError as error:
        raise ValueError(f"{file} cannot be read: {error.strerror}") from None
    except UnicodeDecodeError:
        raise ValueError(f"{file} is no text: give an export as it was") from None


def _entry(line: str, where: str) -> dict[str, Any]:
    with suppress(ValueError, RecursionError):
        entry = json.loads(line)
        if isinstance(entry, dict):
            return entry
    raise ValueError(f"{where}: this is no entry: give an export as it was")


def _place(entry: dict[str, Any]) -> str:
    return "/".join(filter(None, (entry["pipeline"], entry["stage"], entry["action"])))
