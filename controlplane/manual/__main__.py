"""Write every page that is made: `python -m controlplane.manual`, from the top of a checkout."""

from pathlib import Path

from controlplane.manual.pages import PAGES


def main() -> None:
    """Write them where they differ."""
    for name, make in PAGES.items():
        path, text = Path("docs") / name, make()
        if not path.exists() or path.read_text(encoding="utf-8") != text:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
