import json
from pathlib import Path
from typing import Any

import pytest

from controlplane.actions.base import ActionError
from controlplane.actions.ecr_source import EcrSource
from tests.controlplane.actions.making import NOW, REGION, task
from tests.support.clients import StubClients, stubbed

REAL = Path("../shared/data/codedeploy/ecr/describe-images_L11.json")
DIGEST = f"sha256:{'ab' * 32}"
CONFIGURATION = {"Account": "tools", "RepositoryName": "shop"}
DETAIL = {"registryId": "1" * 12, "imageDigest": DIGEST, "imagePushedAt": NOW}


def asked(image: dict[str, str]) -> dict[str, Any]:
    return {"repositoryName": "shop", "imageIds": [image]}


def test_the_image_under_the_tag_is_the_revision() -> None:
    with stubbed("ecr") as (client, stub):
        wanted = asked({"imageTag": "latest"})
        stub.add_response("describe_images", {"imageDetails": [DETAIL]}, wanted)
        found = EcrSource(StubClients(ecr=client)).latest(CONFIGURATION, "tools", REGION)
    assert found is not None
    assert (found.id, found.at) == (DIGEST, NOW)
    assert found.location == "111111111111.dkr.ecr.eu-west-1.amazonaws.com/shop"


def test_no_image_under_the_tag_is_no_revision() -> None:
    with stubbed("ecr") as (client, stub):
        stub.add_client_error("describe_images", "ImageNotFoundException")
        assert EcrSource(StubClients(ecr=client)).latest(CONFIGURATION, "tools", REGION) is None


def test_the_pinned_digest_is_the_artifact() -> None:
    pinned = task(configuration={**CONFIGURATION, "RevisionId": DIGEST}, account="tools")
    with stubbed("ecr") as (client, stub):
        stub.add_response(
            "describe_images", {"imageDetails": [DETAIL]}, asked({"imageDigest": DIGEST})
        )
        made = EcrSource(StubClients(ecr=client)).start(pinned)
    assert made.artifacts[0].digest == DIGEST
    assert made.artifacts[0].location == "111111111111.dkr.ecr.eu-west-1.amazonaws.com/shop"
    assert made.output["ImageURI"].endswith(f"/shop@{DIGEST}")


def test_a_pinned_image_that_is_gone_fails() -> None:
    pinned = task(configuration={**CONFIGURATION, "RevisionId": DIGEST}, account="tools")
    with stubbed("ecr") as (client, stub):
        stub.add_client_error("describe_images", "ImageNotFoundException")
        with pytest.raises(ActionError, match=f"no image {DIGEST} in repository shop") as caught:
            EcrSource(StubClients(ecr=client)).start(pinned)
    assert caught.value.permanent


def test_a_missing_repository_is_no_missing_image() -> None:
    with stubbed("ecr") as (client, stub):
        stub.add_client_error("describe_images", "RepositoryNotFoundException", "no shop")
        with pytest.raises(ActionError, match="no shop"):
            EcrSource(StubClients(ecr=client)).latest(CONFIGURATION, "tools", REGION)


def test_a_real_answer_is_read() -> None:
    assert REAL.exists()
    real = json.loads(REAL.read_text("utf-8"))
    del real["imageDetails"][0]["imagePushedAt"]
    with stubbed("ecr") as (client, stub):
        stub.add_response("describe_images", real)
        found = EcrSource(StubClients(ecr=client)).latest(CONFIGURATION, "tools", REGION)
    assert found is not None
    assert found.location.startswith("012345678910.dkr")
