"""Socket Mode: the same listeners by connections that we open, and that come back when they are lost."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from controlplane.sandbox.slack_signing import APP_TOKEN, TOKEN
from controlplane.slack import listeners
from controlplane.slack.sockets import CONNECTIONS, Sockets
from tests.support.chat import Chat


@pytest.fixture
def chat(tmp_path: Path) -> Iterator[Chat]:
    made = Chat(tmp_path)
    yield made
    made.fake.stop()


@contextmanager
def connected(chat: Chat, token: str = APP_TOKEN) -> Iterator[Sockets]:
    app = listeners.make(chat.door, TOKEN)
    sockets = Sockets(app, token, chat.fake.url, pauses=(0.05,))
    thread = threading.Thread(target=sockets.run)
    thread.start()
    try:
        yield sockets
    finally:
        sockets.stop()
        thread.join(timeout=20)
    assert not thread.is_alive()


def test_a_press_and_a_window_come_by_socket(chat: Chat) -> None:
    execution = chat.asks()
    with connected(chat):
        assert chat.fake.sockets.wait_for(CONNECTIONS)
        press = chat.pressed("reject")
        assert chat.fake.sockets.send("interactive", press) is None
        assert chat.fake.sockets.send("interactive", press) is None  # Slack sends it again
        chat.work()
        [view] = chat.fake.views()
        refused = chat.fake.sockets.send("interactive", chat.fake.submission(view, ""))
        assert "Say why" in refused["errors"]["comment"]
        assert chat.fake.sockets.send("interactive", chat.fake.submission(view, "no")) is None
        assert chat.fake.sockets.send("slash_commands", chat.fake.command("status")) is None
        chat.work()
    chat.house.settle()
    assert chat.house.stages(execution)["Gate"] == "Failed"
    assert "shop" in chat.told()
    assert chat.fake.sockets.wait_for(0)


def test_lost_connections_are_opened_anew_past_a_faulty_slack(chat: Chat) -> None:
    chat.fake.rate_limit("apps.connections.open")
    with connected(chat):
        assert chat.fake.sockets.wait_for(CONNECTIONS)
        chat.fake.break_down("apps.connections.open")
        chat.fake.sockets.drop()
        assert chat.fake.sockets.wait_for(CONNECTIONS, 20)


def test_a_wrong_token_is_tried_again_and_stops_at_once(chat: Chat) -> None:
    with connected(chat, "xapp-wrong") as sockets:
        for _ in range(100):
            assert not chat.fake.sockets.wait_for(1, 0.1)
            if tries(chat) > 1:
                break
        assert (tries(chat) > 1, sockets.open()) == (True, 0)


def tries(chat: Chat) -> int:
    return sum(method == "apps.connections.open" for method, _ in chat.fake.calls())
