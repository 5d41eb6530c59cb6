"""What people do at the console: with a mouse, with keys only, and without JavaScript."""

from typing import Any

import pytest
from playwright.sync_api import Page, expect

from controlplane.sandbox.scripted import source_of
from controlplane.store.roles import Role
from tests.support.browsing import DESKTOP, PHONE, Visiting, asking
from tests.support.doors import Doors, served
from tests.support.house import ANNE, BAD, GOOD, deploying, pipeline, source

PAGE = "/pipelines/asks"
FOCUSABLE = "a[href], button, input:not([type=hidden]), select, summary, [tabindex='0']"
FOCUSED = f"""() => {{
  const all = [...document.querySelectorAll("{FOCUSABLE}")].filter(one => one.checkVisibility());
  const now = getComputedStyle(document.activeElement);
  return [all.indexOf(document.activeElement), all.length, now.outlineStyle, parseFloat(now.outlineWidth)];
}}"""


def reached_by_tab(page: Page) -> tuple[list[int], int]:
    """Which of the things to act on have the focus, one Tab after the other; and how many there are."""
    reached: list[int] = []
    while True:
        page.keyboard.press("Tab")
        at, number, style, width = page.evaluate(FOCUSED)
        if at < 0 or at in reached[:-1]:
            return reached, number
        assert (style, width >= 2) == ("solid", True), f"the focus on {at} of {number} is not seen"
        if at not in reached:  # a field for a date has several stops of its own
            reached.append(at)


@pytest.mark.parametrize("javascript", [True, False])
@pytest.mark.parametrize("size", [DESKTOP, PHONE], ids=["desk", "phone"])
def test_an_approver_approves(
    doors: Doors, visit: Visiting, javascript: bool, size: dict[str, Any]
) -> None:
    execution = asking(doors)
    with served(doors.app) as url:
        token = doors.tokens[Role.APPROVER]
        page = visit(url, token, java_script_enabled=javascript, viewport=size).go(PAGE)
        expect(page.get_by_role("button", name="Approve")).to_have_count(0)
        page.get_by_role("link", name="Look at Ask, and decide…").click()
        expect(page.get_by_text("The execution goes on at once")).to_be_visible()
        page.get_by_label("Comment").fill("looks good")
        page.get_by_role("button", name="Approve").click()
        expect(page.get_by_text("Approved.", exact=True)).to_be_visible()
        doors.house.settle()
        if not javascript:
            page.reload()
        expect(page.get_by_text("Approved by approver (console): looks good").first).to_be_visible()
    assert doors.house.stages(execution)["Gate"] == "Succeeded"


@pytest.mark.parametrize("path", ["/", PAGE, "/freezes", "/accounts"])
def test_every_thing_to_act_on_is_reached_by_tab_in_order_and_is_seen(
    doors: Doors, visit: Visiting, path: str
) -> None:
    asking(doors)
    with served(doors.app) as url:
        page = visit(url, doors.tokens[Role.ADMIN]).go(path)
        reached, number = reached_by_tab(page)
    assert reached == list(range(number))


def test_a_manager_rolls_back_with_keys_only(doors: Doors, visit: Visiting) -> None:
    doors.house.apply(pipeline(source(), deploying("Prod")))
    for digest in (GOOD, BAD):
        doors.house.drivers["S3"].default = source_of(digest)
        doors.house.start()
        doors.house.wait(20)
    with served(doors.app) as url:
        page = visit(url, doors.tokens[Role.RELEASE_MANAGER]).go("/pipelines/shop")
        page.get_by_text("Roll back…").focus()
        page.keyboard.press("Enter")
        page.keyboard.press("Tab")
        page.keyboard.type("customers call")
        page.keyboard.press("Enter")
        expect(page.get_by_text("The rollback was asked for.")).to_be_visible()
    assert doors.house.rows()[0].type == "ROLLBACK"


@pytest.mark.parametrize("javascript", [True, False])
def test_a_button_says_what_it_will_do_before_it_does_it(
    doors: Doors, visit: Visiting, javascript: bool
) -> None:
    doors.house.apply(pipeline(source(), deploying("Prod")))
    with served(doors.app) as url:
        token = doors.tokens[Role.RELEASE_MANAGER]
        page = visit(url, token, java_script_enabled=javascript).go("/pipelines/shop")
        page.get_by_text("Start an execution…").click()
        expect(page.get_by_text("goes through all stages by structure version 1")).to_be_visible()
        assert doors.house.rows() == []
        page.get_by_role("button", name="Start it").click()
        expect(page.get_by_text("An execution was started.")).to_be_visible()
        page.locator("#close-Prod summary").click()
        expect(page.get_by_text("No execution enters Prod until")).to_be_visible()
        page.locator("#why-close-Prod").fill("a look at the disk")
        page.get_by_role("button", name="Close the way into Prod").click()
        expect(page.get_by_text("The way in is closed.", exact=True).first).to_be_visible()
        page.get_by_role("link", name="Freeze…").click()
        expect(page.get_by_text("No execution enters any stage of shop")).to_be_visible()
        page.get_by_label("Why?").fill("the sale of the year")
        page.get_by_role("button", name="Freeze it").click()
        expect(page.get_by_text("The freeze is in force.")).to_be_visible()
    assert len(doors.house.rows()) == 1


def test_a_refusal_is_told_on_the_page(doors: Doors, visit: Visiting) -> None:
    asking(doors)
    with served(doors.app) as url:
        page = visit(url, doors.tokens[Role.ADMIN], java_script_enabled=False).go(PAGE)
        page.get_by_role("link", name="Look at Ask, and decide…").click()
        doors.house.commands.decide_approval(
            doors.house.rows("asks")[0].id, "Gate", "Ask", ANNE, approve=False, summary="no"
        )
        page.get_by_role("button", name="Approve").click()
        expect(page.get_by_role("alert")).to_contain_text("decided already")
