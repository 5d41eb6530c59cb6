"""One layer from one registry to another, a bounded number of bytes a call.

ECR hands out a URL (in S3) to download from and takes parts; it verifies the layer's SHA-256
itself when the upload is completed, so a layer that was changed on the way is refused there.
https://docs.aws.amazon.com/AmazonECR/latest/APIReference/API_UploadLayerPart.html
"""

from dataclasses import dataclass
from typing import Any

import httpx
from botocore.exceptions import ClientError

from controlplane.actions.base import ActionError
from controlplane.actions.s3_content import MIB
from controlplane.actions.vendor import code_of

PART = 10 * MIB
"""ECR takes up to 20 MiB a part; all but the last must have at least 5."""
BUDGET = 64 * MIB
THERE = frozenset({"LayerAlreadyExistsException", "ImageAlreadyExistsException"})
PARTIAL, WHOLE, OUTSIDE = 206, 200, 416
SERVER_FAULT = 500


@dataclass(frozen=True, slots=True)
class Upload:
    """A layer under way: its digest, ECR's id of the upload, and how many bytes ECR has."""

    layer: str
    id: str
    sent: int

    def __str__(self) -> str:
        return f"{self.layer} {self.id} {self.sent}"

    @classmethod
    def read(cls, handle: str) -> "Upload | None":
        """Read the handle; None where no layer is under way."""
        words = handle.split()
        return cls(words[0], words[1], int(words[2])) if len(words) == 3 else None  # noqa: PLR2004


@dataclass(frozen=True, slots=True)
class Ends:
    """From which repository to which. Both clients act with the target account's role.

    registry is the AWS account id of the source.
    """

    source: Any
    registry: str
    source_repository: str
    target: Any
    target_repository: str
    http: httpx.Client
    part: int = PART
    budget: int = BUDGET


def missing(ends: Ends, blobs: tuple[str, ...]) -> list[str]:
    """Name the layers that the target has not got yet."""
    left: list[str] = []
    for start in range(0, len(blobs), 100):
        answer = ends.target.batch_check_layer_availability(
            repositoryName=ends.target_repository, layerDigests=list(blobs[start : start + 100])
        )
        there = {
            one["layerDigest"]
            for one in answer.get("layers", [])
            if one.get("layerAvailability") == "AVAILABLE"
        }
        left += [one for one in blobs[start : start + 100] if one not in there]
    return left


def send(ends: Ends, layer: str, begun: Upload | None) -> Upload | None:
    """Send the next parts of a layer; answers the upload, or None once ECR has the whole layer."""
    try:
        return _send(ends, layer, begun)
    except ClientError as error:
        if code_of(error) in THERE:
            return None
        if code_of(error) == "UploadNotFoundException" and begun is not None:
            return _send(ends, layer, None)  # it was given up by ECR; begin again
        raise


def _send(ends: Ends, layer: str, begun: Upload | None) -> Upload | None:
    names = {"repositoryName": ends.target_repository}
    upload, sent = (begun.id, begun.sent) if begun else (_begin(ends), 0)
    url = _url(ends, layer)
    budget = ends.budget
    while budget > 0:
        part, total = _download(ends, url, sent)
        if part:
            ends.target.upload_layer_part(
                **names,
                uploadId=upload,
                partFirstByte=sent,
                partLastByte=sent + len(part) - 1,
                layerPartBlob=part,
            )
        sent += len(part)
        budget -= len(part)
        if sent >= total:
            ends.target.complete_layer_upload(**names, uploadId=upload, layerDigests=[layer])
            return None
    return Upload(layer, upload, sent)


def _begin(ends: Ends) -> str:
    return str(ends.target.initiate_layer_upload(repositoryName=ends.target_repository)["uploadId"])


def _url(ends: Ends, layer: str) -> str:
    answer = ends.source.get_download_url_for_layer(
        registryId=ends.registry, repositoryName=ends.source_repository, layerDigest=layer
    )
    return str(answer["downloadUrl"])


def _download(ends: Ends, url: str, first: int) -> tuple[bytes, int]:
    """Get the next part of a layer, and its length. The URL is a secret: it is in no message."""
    try:
        answer = ends.http.get(
            url, headers={"Range": f"bytes={first}-{first + ends.part - 1}"}, follow_redirects=False
        )
    except httpx.HTTPError as error:
        raise ActionError(f"A layer could not be downloaded: {type(error).__name__}.") from None
    if answer.status_code == PARTIAL:
        total = answer.headers.get("content-range", "").rpartition("/")[2]
        if total.isdigit() and answer.content:
            return answer.content, int(total)
    if answer.status_code == WHOLE and first == 0 and len(answer.content) <= ends.part:
        return answer.content, len(answer.content)
    passing = answer.status_code >= SERVER_FAULT
    raise ActionError(
        f"A layer could not be downloaded from byte {first}: HTTP {answer.status_code}.",
        permanent=not passing,
    )
