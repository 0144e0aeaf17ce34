"""The estates of others in `bad-estates/`: what hurried teams write is what the rules are for."""

import yaml

from mlestate_policies.rules import rules
from tests.policies.packs import BAD_ESTATES


def test_three_bad_estates_break_nine_rules_of_ten() -> None:
    broken = {rule for file in BAD_ESTATES for rule in yaml.safe_load(file.read_text())["breaks"]["regulated"]}
    assert len(broken) >= 0.9 * len(rules()), [rule.id for rule in rules() if rule.id not in broken]


def test_what_the_baseline_asks_a_regulated_estate_is_asked_too() -> None:
    for file in BAD_ESTATES:
        breaks = yaml.safe_load(file.read_text())["breaks"]
        assert set(breaks["baseline"]) < set(breaks["regulated"]), file.stem
        assert all(list(ids) == sorted(ids) for ids in breaks.values()), file.stem
