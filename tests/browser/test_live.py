"""A page that lives: what changes elsewhere comes by itself, and takes nothing from whoever is typing."""

from contextlib import ExitStack

from playwright.sync_api import Route, expect

from controlplane.store.roles import Role
from tests.support.browsing import Visiting, another_replica, asking
from tests.support.doors import Doors, served
from tests.support.house import ANNE

PAGE = "/pipelines/asks"


def close_prod(doors: Doors, reason: str) -> None:
    doors.house.commands.disable_transition("asks", "Prod", ANNE, reason=reason)


def test_a_change_comes_by_itself_and_wipes_no_half_typed_comment(
    doors: Doors, visit: Visiting
) -> None:
    asking(doors)
    with served(doors.app) as url:
        came = visit(url, doors.tokens[Role.ADMIN])
        page = came.go(PAGE)
        page.locator("#close-Gate summary").click()
        comment = page.locator("#why-close-Gate")
        comment.press_sequentially("the load test is")
        close_prod(doors, "a look at the disk first")
        expect(page.get_by_text("a look at the disk first").first).to_be_visible()
        expect(comment).to_have_value("the load test is")
        expect(comment).to_be_focused()
        page.keyboard.type(" well")
        page.keyboard.press("Enter")
        expect(page.get_by_role("status").filter(has_text="The way in is closed.")).to_be_visible()
        expect(page.get_by_text("the load test is well").first).to_be_visible()
    assert came.faults == []


def test_a_page_lives_however_late_one_of_its_scripts_comes(doors: Doors, visit: Visiting) -> None:
    asking(doors)
    held: list[Route] = []
    with served(doors.app) as url:
        page = visit(url, doors.tokens[Role.ADMIN]).page
        page.route("**/hx-sse.min.js", lambda route: held.append(route))  # noqa: PLW0108 - Playwright asks what it takes
        page.goto(f"{url}/console{PAGE}", wait_until="commit")
        page.wait_for_function("'htmx' in window && document.getElementById('live')")
        held[0].continue_()
        page.wait_for_load_state()
        close_prod(doors, "a look at the disk first")
        expect(page.get_by_text("a look at the disk first").first).to_be_visible()


def test_what_was_opened_stays_open(doors: Doors, visit: Visiting) -> None:
    asking(doors)
    with served(doors.app) as url:
        page = visit(url, doors.tokens[Role.ADMIN]).go(PAGE)
        page.locator("#close-Gate summary").click()
        why = page.locator("#why-close-Gate")
        why.fill("half a reas")
        close_prod(doors, "something else")
        expect(page.get_by_text("something else").first).to_be_visible()
        expect(why).to_be_visible()
        expect(why).to_have_value("half a reas")


def test_any_replica_serves_any_browser(doors: Doors, visit: Visiting) -> None:
    execution = asking(doors)
    with served(doors.app) as one, served(another_replica(doors)) as two:
        came = visit(one, doors.tokens[Role.APPROVER])
        watching = came.go(PAGE)
        acting = came.page.context.new_page()
        acting.goto(f"{two}/console{PAGE}")  # the session that replica one began
        acting.get_by_role("link", name="Look at Ask, and decide…").click()
        acting.get_by_role("button", name="Approve").click()
        expect(acting.get_by_text("Approved.")).to_be_visible()
        doors.house.settle()
        expect(watching.get_by_text("Approved by approver (console)").first).to_be_visible()
    assert doors.house.stages(execution)["Gate"] == "Succeeded"


def test_a_page_says_how_old_it_is_while_the_server_is_gone_and_lives_on_with_its_successor(
    doors: Doors, visit: Visiting
) -> None:
    asking(doors)
    with ExitStack() as first, ExitStack() as second:
        url = first.enter_context(served(doors.app))
        page = visit(url, doors.tokens[Role.ADMIN]).go(PAGE)
        page.locator("#close-Gate summary").click()
        comment, banner = page.locator("#why-close-Gate"), page.locator("#connection")
        close_prod(doors, "seen alive")
        expect(page.get_by_text("seen alive").first).to_be_visible()
        comment.fill("half typed")
        first.close()
        expect(banner).to_contain_text("You see data as of")
        doors.house.commands.enable_transition("asks", "Prod", ANNE, reason="meanwhile")
        port = int(url.rpartition(":")[2])
        second.enter_context(served(another_replica(doors), port))
        expect(page.get_by_text("The way in is closed.")).to_have_count(0)
        expect(banner).to_be_hidden()
        expect(comment).to_have_value("half typed")


def test_a_session_that_ended_is_told_so(doors: Doors, visit: Visiting) -> None:
    asking(doors)
    with served(doors.app) as url:
        page = visit(url, doors.tokens[Role.VIEWER]).go(PAGE)
        expect(page.get_by_text("waits for a person")).to_be_visible()
        page.context.clear_cookies()
        page.reload()
        expect(page.get_by_role("heading", name="Sign in")).to_be_visible()
        page.get_by_label("API token").fill(doors.tokens[Role.VIEWER])
        page.get_by_role("button", name="Sign in").click()
        expect(page.get_by_role("heading", name="asks")).to_be_visible()
