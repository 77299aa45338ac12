"""What a person reads before a yes cannot be bent by a name in it."""

import pytest
from pydantic import ValidationError

from tools.campaigns.update import CampaignChange
from tools.legible import legible
from tools.plan import Plan


@pytest.mark.parametrize("mark", ["\u202e", "\u2066", "\u200b", "\x1b[31m", "\n", "\x9b31m", "\u2028", "\ufeff"])
def test_marks_that_change_how_the_rest_reads_are_shown_instead(mark: str) -> None:
    shown = legible(f"Spring{mark} sale")

    assert mark not in shown
    assert shown.startswith("Spring\ufffd")


@pytest.mark.parametrize("name", ["トラフィック | 読みもの", "حملة الربيع", "می‌خواهم", "👩‍💻 launch"])
def test_names_in_any_script_stay_as_they_are(name: str) -> None:
    assert legible(name) == name
    assert CampaignChange(campaign_id="1", name=name).name == name


def test_a_new_name_is_refused_while_it_holds_such_a_mark() -> None:
    with pytest.raises(ValidationError, match=r"U\+202E"):
        CampaignChange(campaign_id="1", name="\u202eelas gnirpS")


def test_a_plan_says_what_it_does_in_plain_characters() -> None:
    change = CampaignChange(campaign_id="1", status="PAUSED")
    plan = Plan(input=change, summary="A\u202eB: pause", changes=(), operations=(), warnings=("A\nB",))

    assert plan.shown()["summary"] == "A\ufffdB: pause"
    assert plan.shown()["warnings"] == ["A\ufffdB"]
