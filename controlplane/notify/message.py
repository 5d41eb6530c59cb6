"""A note as JSON, the same for every channel that machines read; and how long text is cut."""

import json
from datetime import UTC

from controlplane.notify.base import Note

VERSION = "1"
MAX_NAME, MAX_TITLE, MAX_TEXT, MAX_URL = 256, 500, 16_000, 2_000


def document(note: Note) -> dict[str, str]:
    """Answer the note as JSON's object; every value is a string.

    version "1"; id (the same at every attempt: receivers de-duplicate by it); kind
    ("stage.failed"); at (ISO 8601, UTC); pipeline; execution; stage ("" where it is about none);
    severity ("info", "warning", "page"); title; text; digest; status; url. Fields are only ever
    added under one version. Long text is cut and ends with "…".
    """
    return {
        "version": VERSION,
        "id": cut(note.id, MAX_NAME),
        "kind": cut(note.kind, MAX_NAME),
        "at": note.at.astimezone(UTC).isoformat().replace("+00:00", "Z"),
        "pipeline": cut(note.pipeline, MAX_NAME),
        "execution": cut(note.execution, MAX_NAME),
        "stage": cut(note.stage, MAX_NAME),
        "severity": cut(note.severity, MAX_NAME),
        "title": cut(note.title, MAX_TITLE),
        "text": cut(note.text, MAX_TEXT),
        "digest": cut(note.digest, MAX_NAME),
        "status": cut(note.status, MAX_NAME),
        "url": cut(note.url, MAX_URL),
    }


def encoded(note: Note) -> str:
    """Write the document as ASCII JSON: at most 6 bytes a unit, so under 128 KiB in all."""
    return json.dumps(document(note), separators=(",", ":"))


def headline(note: Note) -> str:
    """Answer the title with the pipeline's name before it, unless it begins with that itself."""
    begins = note.title.startswith(note.pipeline)
    return note.title if begins else f"{note.pipeline}: {note.title}"


def units(text: str) -> int:
    """Count the UTF-16 units, as JSON's escapes and most receivers do."""
    return len(text) + sum(character > "\uffff" for character in text)


def cut(text: str, most: int, *, tail: bool = False) -> str:
    """Shorten to so many UTF-16 units; "…" stands for what is gone.

    tail: keep the end (of a log) instead of the beginning. Halves of surrogate pairs become "?".
    """
    text = text.encode("utf-8", "replace").decode()
    if units(text) <= most:
        return text
    kept = text[-most + 1 :] if tail else text[: most - 1]
    while (over := units(kept) - most + 1) > 0:
        drop = (over + 1) // 2
        kept = kept[drop:] if tail else kept[:-drop]
    return f"…{kept}" if tail else f"{kept}…"
