import re
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from controlplane.actions import ecr_layers
from controlplane.actions.base import ActionError, Artifact, Outcome, Progress, Task
from controlplane.actions.ecr_manifest import parse
from controlplane.actions.ecr_promote import EcrPromote
from tests.controlplane.actions.fake_ecr import KIND, FakeEcr
from tests.controlplane.actions.making import REGION, digest_of, task
from tests.support.clients import StubClients
from tests.support.loopback import Answer, Request, loopback

SOURCE = "111111111111.dkr.ecr.eu-west-1.amazonaws.com/shop"
BIG = b"x" * (ecr_layers.PART + 5)


@pytest.fixture
def ecr() -> Iterator[FakeEcr]:
    """Registries whose layers can be downloaded from a server on loopback."""
    fake = FakeEcr()

    def answer(request: Request) -> Answer:
        content = fake.layers[request.path[1:]]
        wanted = re.fullmatch(r"bytes=(\d+)-(\d+)", request.headers["Range"])
        assert wanted is not None
        first, last = int(wanted[1]), min(int(wanted[2]), len(content) - 1)
        span = {"Content-Range": f"bytes {first}-{last}/{len(content)}"}
        return Answer(206, content[first : last + 1], span)

    with loopback(answer) as server:
        fake.url = server.url
        yield fake


def promoting(digest: str, **given: Any) -> Task:
    image = Artifact("image", digest, SOURCE, "", "tools", REGION)
    configuration = {"RepositoryName": "shop"}
    fields = {"configuration": configuration, "inputs": (image,), "outputs": ("prod-image",)}
    return task(**{**fields, **given})


def promoted(ecr: FakeEcr, digest: str, budget: int = ecr_layers.BUDGET) -> tuple[Progress, int]:
    """Start and look to the end; how often it was looked at."""
    one, looks = promoting(digest), 0
    with httpx.Client(trust_env=False) as http:
        driver = EcrPromote(StubClients(ecr=ecr), http, budget)
        progress = driver.start(one)
        while progress.outcome is Outcome.RUNNING:
            looks += 1
            assert looks < 20
            seen = driver.look([replace(one, handle=progress.handle)])[one.token]
            if isinstance(seen, Exception):
                raise seen
            progress = seen
    return progress, looks


def test_an_image_keeps_its_digest(ecr: FakeEcr) -> None:
    digest = ecr.push(b"config", b"layer 1", b"layer 2")
    made, _ = promoted(ecr, digest)
    assert ecr.target[digest] == ecr.source[digest]
    assert sorted(ecr.sent.values()) == [b"config", b"layer 1", b"layer 2"]
    location = "444444444444.dkr.ecr.eu-west-1.amazonaws.com/shop"
    assert made.artifacts == (Artifact("prod-image", digest, location, "", "prod", REGION),)


def test_the_copy_is_tagged_so_that_no_lifecycle_rule_deletes_it(ecr: FakeEcr) -> None:
    digest = ecr.push(b"config", b"layer")
    promoted(ecr, digest)
    assert ecr.tags == {f"towpath-{digest[7:23]}": digest}


def test_a_list_is_put_after_its_children_and_alone_is_tagged(ecr: FakeEcr) -> None:
    arm, amd = ecr.push(b"arm", b"shared"), ecr.push(b"amd", b"shared")
    both = ecr.push_list(arm, amd)
    promoted(ecr, both)
    assert ecr.put == [arm, amd, both]
    assert set(ecr.tags.values()) == {both}


def test_a_large_layer_goes_over_part_by_part_a_budget_each_look(ecr: FakeEcr) -> None:
    digest = ecr.push(b"config", BIG)
    _, looks = promoted(ecr, digest, budget=ecr_layers.PART)
    assert ecr.sent[digest_of(BIG)] == BIG
    assert looks == 3  # config, the first part, the rest; then the manifest


def test_an_upload_that_ecr_forgot_is_begun_again(ecr: FakeEcr) -> None:
    digest = ecr.push(BIG)
    lost = f"{digest_of(BIG)} 00000000-0000-0000-0000-00000000dead 10485760"
    with httpx.Client(trust_env=False) as http:
        driver = EcrPromote(StubClients(ecr=ecr), http)
        one = promoting(digest, handle=lost)
        assert isinstance(driver.look([one])[one.token], Progress)
    assert ecr.sent[digest_of(BIG)] == BIG


def test_what_is_there_already_is_not_sent_again(ecr: FakeEcr) -> None:
    digest = ecr.push(b"config", b"layer")
    first, _ = promoted(ecr, digest)
    ecr.layers.clear()
    assert promoted(ecr, digest) == (first, 0)
    assert ecr.put == [digest]


def test_a_manifest_that_is_not_the_digests_is_refused(ecr: FakeEcr) -> None:
    digest = ecr.push(b"config", b"layer")
    ecr.source[digest] += " "
    with pytest.raises(ActionError, match="not what was tested") as caught:
        promoted(ecr, digest)
    assert caught.value.permanent
    assert not ecr.put


def test_a_layer_that_was_changed_on_the_way_is_refused(ecr: FakeEcr) -> None:
    digest = ecr.push(b"config", b"layer")
    ecr.layers[digest_of(b"layer")] = b"malice"
    with pytest.raises(ActionError, match="InvalidLayerException"):
        promoted(ecr, digest)


def test_an_image_that_is_gone_is_said(ecr: FakeEcr) -> None:
    with pytest.raises(ActionError, match="has no image sha256:0000"):
        promoted(ecr, f"sha256:{'0' * 64}")


def test_the_role_is_the_targets_and_narrowed_to_both_repositories(ecr: FakeEcr) -> None:
    clients = StubClients(ecr=ecr)
    with httpx.Client(trust_env=False) as http:
        EcrPromote(clients, http).start(promoting(ecr.push(b"config")))
    assert {(asked.account, asked.purpose) for asked in clients.asked} == {("prod", "deploy")}
    assert clients.asked[0].scope.resources == (
        "arn:aws:ecr:eu-west-1:444444444444:repository/shop",
        "arn:aws:ecr:eu-west-1:111111111111:repository/shop",
    )


@pytest.mark.parametrize(("status", "permanent"), [(403, True), (503, False)])
def test_a_download_that_fails_does_not_tell_its_url(status: int, *, permanent: bool) -> None:
    fake = FakeEcr()
    digest = fake.push(b"config")
    with loopback(lambda _request: Answer(status)) as server:
        fake.url = f"{server.url}/secret"
        with pytest.raises(ActionError, match=f"HTTP {status}") as caught:
            promoted(fake, digest)
    assert caught.value.permanent is permanent
    assert "secret" not in str(caught.value)


def test_a_location_that_is_no_registry_is_refused(ecr: FakeEcr) -> None:
    image = Artifact("image", f"sha256:{'0' * 64}", "docker.io/shop")
    with httpx.Client(trust_env=False) as http, pytest.raises(ActionError, match="ECR registry"):
        EcrPromote(StubClients(ecr=ecr), http).start(promoting("", inputs=(image,)))


@given(st.text() | st.sampled_from(["[]", "null", "[" * 5000, '{"manifests": {}}']))
def test_no_text_is_taken_for_a_manifest(text: str) -> None:
    try:
        digest = digest_of(text.encode())
    except UnicodeEncodeError:
        return
    with pytest.raises(ActionError) as caught:
        parse(digest, text)
    assert caught.value.permanent


def test_layers_that_lie_elsewhere_are_not_sent() -> None:
    ecr = FakeEcr()
    foreign = {"digest": f"sha256:{'f' * 64}", "urls": ["https://elsewhere.invalid"]}
    digest = ecr.push(b"config", layers=[foreign])
    manifest = parse(digest, ecr.source[digest])
    assert (manifest.media_type, manifest.blobs) == (KIND, (digest_of(b"config"),))
