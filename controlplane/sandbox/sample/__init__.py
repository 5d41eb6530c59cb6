"""The sample service and its releases, as bundles that CodeDeploy deploys.

Release 1 is well. Release 2 fails and release 3 is slow, each by a genuine defect that only load shows (see
their pool.py).
"""

import io
import zipfile
from pathlib import Path

RELEASES = (1, 2, 3)
_HERE = Path(__file__).parent
_STAMP = (2026, 1, 5, 9, 0, 0)


def build_bundle(release: int) -> bytes:
    """Build the bundle of a release, a zip archive: the same bytes every time.

    ValueError for a release that does not exist.
    """
    if release not in RELEASES:
        raise ValueError(f"there is no release {release}, only {RELEASES}")
    files = {path.relative_to(_HERE / "bundle"): path for path in _sources(_HERE / "bundle")}
    files[Path("pool.py")] = _HERE / f"release_{release}" / "pool.py"
    contents = {name.as_posix(): path.read_bytes() for name, path in files.items()}
    contents["release.txt"] = f"{release}\n".encode()
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name in sorted(contents):
            info = zipfile.ZipInfo(name, _STAMP)
            info.compress_type, info.create_system = zipfile.ZIP_DEFLATED, 3  # 3: Unix
            info.external_attr = (0o755 if name.endswith(".sh") else 0o644) << 16
            archive.writestr(info, contents[name])
    return buffer.getvalue()


def _sources(folder: Path) -> list[Path]:
    return [p for p in folder.rglob("*") if p.is_file() and "__pycache__" not in p.parts]
