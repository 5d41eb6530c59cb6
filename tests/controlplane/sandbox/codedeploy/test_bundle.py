import gzip
import io
import tarfile
import tempfile
import zipfile
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from controlplane.sandbox.codedeploy import bundle
from controlplane.sandbox.codedeploy.bundle import BundleError, unpack


def _zip(**files: bytes) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return buffer.getvalue()


def _tar(member: tarfile.TarInfo, content: bytes = b"") -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as archive:
        member.size = len(content)
        archive.addfile(member, io.BytesIO(content))
    return buffer.getvalue()


def _everything_below(folder: Path) -> set[str]:
    return {p.relative_to(folder).as_posix() for p in folder.rglob("*") if not p.is_dir()}


def test_a_zip_and_a_tgz_are_unpacked_with_their_permission_bits(tmp_path: Path) -> None:
    member = tarfile.TarInfo("scripts/run.sh")
    member.mode = 0o755
    unpack(_tar(member, b"#!/bin/sh\n"), "tgz", tmp_path / "a")
    unpack(_zip(**{"scripts/run.sh": b"hello"}), "zip", tmp_path / "b")
    assert (tmp_path / "a/scripts/run.sh").stat().st_mode & 0o111
    assert (tmp_path / "b/scripts/run.sh").read_bytes() == b"hello"


@pytest.mark.parametrize(
    "name", ["../evil", "/etc/evil", "a/../../evil", "..\\evil", "a\\..\\..\\b"]
)
def test_a_path_that_leads_out_of_the_bundle_is_refused(name: str, tmp_path: Path) -> None:
    for content, kind in ((_zip(**{name: b"x"}), "zip"), (_tar(tarfile.TarInfo(name)), "tgz")):
        with pytest.raises(BundleError, match="leads out"):
            unpack(content, kind, tmp_path / "in")
    assert _everything_below(tmp_path) == set()


@pytest.mark.parametrize("kind", [tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.FIFOTYPE])
def test_links_and_devices_are_refused(kind: bytes, tmp_path: Path) -> None:
    member = tarfile.TarInfo("link")
    member.type, member.linkname = kind, "/etc/passwd"
    with pytest.raises(BundleError, match="link or a device"):
        unpack(_tar(member), "tgz", tmp_path / "in")


def test_what_unpacks_to_more_than_is_allowed_is_refused(tmp_path: Path) -> None:
    bomb = _zip(**{str(n): bytes(32 * 1024 * 1024) for n in range(9)})
    with pytest.raises(BundleError, match="more than"):
        unpack(bomb, "zip", tmp_path / "in")
    written = sum(p.stat().st_size for p in (tmp_path / "in").iterdir())
    assert written <= bundle.LARGEST_CONTENT


def test_too_large_a_bundle_too_many_files_and_odd_kinds_are_refused(tmp_path: Path) -> None:
    crowd = _zip(**{str(n): b"" for n in range(bundle.MOST_FILES + 1)})
    for content, kind in ((bytes(bundle.LARGEST_BUNDLE + 1), "zip"), (crowd, "zip"), (b"", "YAML")):
        with pytest.raises(BundleError):
            unpack(content, kind, tmp_path / "in")


@given(st.binary(max_size=300), st.sampled_from(["zip", "tar", "tgz"]))
def test_any_bytes_are_a_bundle_or_are_refused(content: bytes, kind: str) -> None:
    _unpack_or_refuse(content, kind)


@given(
    st.integers(0, 200), st.binary(min_size=1, max_size=3), st.sampled_from(["zip", "tar", "tgz"])
)
def test_a_damaged_bundle_is_refused_or_unpacked(place: int, damage: bytes, kind: str) -> None:
    good = _zip(a=b"1" * 50, b=b"2") if kind == "zip" else _tar(tarfile.TarInfo("a"), b"1" * 50)
    good = gzip.decompress(good) if kind == "tar" else good
    _unpack_or_refuse(good[:place] + damage + good[place + len(damage) :], kind)


def _unpack_or_refuse(content: bytes, kind: str) -> None:
    with tempfile.TemporaryDirectory() as folder:
        try:
            unpack(content, kind, Path(folder, "in"))
        except BundleError as error:
            assert str(error)  # noqa: PT017  # either end is right
        assert {p.name for p in Path(folder).iterdir()} <= {"in"}
