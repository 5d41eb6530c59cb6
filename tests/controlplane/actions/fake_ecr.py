"""Two registries in memory, with the answers of ECR that promotion reads.

Written by hand because moto gives no layer out and computes a manifest's digest from its layers.
"""

import hashlib
import json
from typing import Any

from tests.controlplane.actions.making import digest_of, refused

KIND = "application/vnd.oci.image.manifest.v1+json"
INDEX = "application/vnd.oci.image.index.v1+json"


def entry(digest: str, **more: Any) -> dict[str, Any]:
    return {"digest": digest, "size": 1, **more}


class FakeEcr:
    """One repository in each of two registries: source is read, target written."""

    def __init__(self, url: str = "") -> None:
        self.url = url
        self.source: dict[str, str] = {}
        self.target: dict[str, str] = {}
        self.tags: dict[str, str] = {}
        self.layers: dict[str, bytes] = {}
        self.sent: dict[str, bytes] = {}
        self.uploads: dict[str, bytes] = {}
        self.put: list[str] = []

    def push(self, *layers: bytes, **more: Any) -> str:
        """An image in the source; answers its digest."""
        digests = [digest_of(layer) for layer in layers]
        self.layers |= dict(zip(digests, layers, strict=True))
        config, *rest = [entry(digest) for digest in digests]
        return self._keep(
            {"schemaVersion": 2, "mediaType": KIND, "config": config, "layers": rest, **more}
        )

    def push_list(self, *children: str) -> str:
        entries = [entry(child) for child in children]
        return self._keep({"schemaVersion": 2, "mediaType": INDEX, "manifests": entries})

    def _keep(self, manifest: dict[str, Any]) -> str:
        text = json.dumps(manifest, indent=3)
        digest = digest_of(text.encode())
        self.source[digest] = text
        return digest

    def describe_images(self, **_given: Any) -> dict[str, Any]:
        newest = list(self.source)[-1]
        return {"imageDetails": [{"registryId": "1" * 12, "imageDigest": newest}]}

    def batch_get_image(self, **given: Any) -> dict[str, Any]:
        held = self.source if given.get("registryId") else self.target
        (wanted,) = (one["imageDigest"] for one in given["imageIds"])
        if wanted not in held:
            failure = {"imageId": {"imageDigest": wanted}, "failureCode": "ImageNotFound"}
            return {"images": [], "failures": [failure]}
        image = {"imageId": {"imageDigest": wanted}, "imageManifest": held[wanted]}
        return {"images": [image], "failures": []}

    def get_download_url_for_layer(self, **given: Any) -> dict[str, Any]:
        assert given["registryId"] == "111111111111"
        return {"downloadUrl": f"{self.url}/{given['layerDigest']}"}

    def batch_check_layer_availability(self, **given: Any) -> dict[str, Any]:
        return {
            "layers": [
                {
                    "layerDigest": one,
                    "layerAvailability": "AVAILABLE" if one in self.sent else "UNAVAILABLE",
                }
                for one in given["layerDigests"]
            ]
        }

    def initiate_layer_upload(self, **_given: Any) -> dict[str, Any]:
        upload = f"00000000-0000-0000-0000-{len(self.uploads) + 1:012}"
        self.uploads[upload] = b""
        return {"uploadId": upload, "partSize": 10}

    def upload_layer_part(self, **given: Any) -> dict[str, Any]:
        upload = given["uploadId"]
        if upload not in self.uploads:
            raise refused("UploadLayerPart", "UploadNotFoundException")
        assert given["partFirstByte"] == len(self.uploads[upload])
        assert given["partLastByte"] == given["partFirstByte"] + len(given["layerPartBlob"]) - 1
        self.uploads[upload] += given["layerPartBlob"]
        return {}

    def complete_layer_upload(self, **given: Any) -> dict[str, Any]:
        content = self.uploads.pop(given["uploadId"])
        digest = f"sha256:{hashlib.sha256(content).hexdigest()}"
        if given["layerDigests"] != [digest]:
            raise refused("CompleteLayerUpload", "InvalidLayerException", "digests differ")
        if digest in self.sent:
            raise refused("CompleteLayerUpload", "LayerAlreadyExistsException")
        self.sent[digest] = content
        return {}

    def put_image(self, **given: Any) -> dict[str, Any]:
        text, digest = given["imageManifest"], given["imageDigest"]
        assert digest_of(text.encode()) == digest
        if digest in self.target:
            raise refused("PutImage", "ImageAlreadyExistsException")
        manifest = json.loads(text)
        for child in manifest.get("manifests", []):
            assert child["digest"] in self.target
        self.target[digest] = text
        self.tags |= {given["imageTag"]: digest} if "imageTag" in given else {}
        self.put.append(digest)
        return {}
