"""The tutorial, typed into three terminals as it is written."""

import re
from pathlib import Path

import pytest

from controlplane.demo.processes import free_port, is_up
from controlplane.sandbox.aws.identity import root_key
from tests.support.book import blocks, environment, terminal, typed, until

PAGE = "tutorial/by-hand.md"


def elsewhere(text: str, port: int) -> str:
    """The reader's machine is his own; here other tests run beside, so nothing has its usual port."""
    return text.replace("towpath sandbox", f"towpath sandbox --port {port}")


@pytest.mark.timeout(600)
def test_a_release_by_hand_goes_as_the_page_says(tmp_path: Path) -> None:
    env, settings = environment(), tmp_path / "towpath.env"
    (first,), (second,) = blocks(PAGE, "Terminal 1"), blocks(PAGE, "Terminal 2")
    with terminal(elsewhere(first, free_port()), tmp_path, env, "sandbox") as said:
        until(settings.exists, said)
        port = free_port()
        settings.write_text(settings.read_text().replace("8640", str(port)))
        with terminal(second, tmp_path, env, "towpath") as log:
            until(lambda: is_up(f"http://127.0.0.1:{port}/readyz"), log)
            done = typed("\n".join(blocks(PAGE)), tmp_path, env)
    assert done.returncode == 0, done.stdout[-5000:]
    after = done.stdout.partition("this one is a trap")[2] or done.stdout
    assert re.search(r"rolled back|ROLLBACK", after, re.IGNORECASE), after[-3000:]


ACCOUNT = "555555555555"
OWN = "tutorial/first-account.md"
HERE = "export TOWPATH_TOKEN="
"""Where the reader has gone to the second terminal and come back."""

WAITS = "until [ -s accounts.yaml ]; do sleep 0.2; done\n"


@pytest.mark.timeout(600)
def test_the_first_own_account_is_set_up_as_the_page_says(tmp_path: Path) -> None:
    port, towpath = free_port(), free_port()
    url = f"http://127.0.0.1:{port}"
    aws = {
        "AWS_ENDPOINT_URL": url,
        "AWS_EC2_METADATA_DISABLED": "true",
        "TOWPATH_PORT": str(towpath),
    }
    signed_in = {"AWS_ACCESS_KEY_ID": root_key(ACCOUNT), "AWS_SECRET_ACCESS_KEY": "any"}
    env = environment(
        **aws,
        **signed_in,
        AWS_DEFAULT_REGION="eu-west-1",
        CHECKOUT=str(Path.cwd()),
        TOWPATH_URL=f"http://127.0.0.1:{towpath}",
    )
    (second,), all_of_it = blocks(OWN, "Terminal 2"), "\n".join(blocks(OWN))
    assert HERE in all_of_it
    with terminal(f"towpath sandbox --port {port}", tmp_path, environment(), "sandbox") as said:
        until(lambda: is_up(f"{url}/_sandbox/world"), said)
        with terminal(WAITS + second, tmp_path, environment(**aws), "towpath") as log:
            wait = f"until curl -sf {env['TOWPATH_URL']}/readyz; do sleep 0.2; done\n"
            done = typed(all_of_it.replace(HERE, f"{wait}{HERE}"), tmp_path, env)
            assert done.returncode == 0, done.stdout[-5000:] + log.read_text()[-2000:]
    assert "execution.succeeded" in done.stdout and "shop" in done.stdout.splitlines()[-1]
