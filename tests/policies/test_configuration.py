"""One file configures a run, and all that is wrong in it is said at once."""

import json
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from mlestate_policies.configuration import ConfigurationWrong, read
from mlestate_policies.judge import level_of
from mlestate_policies.rules import named
from mlestate_policies.settings import ALLOWED_REGIONS, RETENTION_DAYS, Settings

ROOT = named()["ML-AWS-SM-003"]
WAIVER = {
    "rule": "ML-AWS-SM-003",
    "urn": "*::lab",
    "owner": "ada@acme.example",
    "reason": "leaves with the pilot",
    "expires": "2027-03-31",
}


def written(folder: Path, document: Any) -> Path:
    file = folder / "policies.json"
    file.write_text(document if isinstance(document, str) else json.dumps(document))
    return file


def test_an_empty_file_is_the_baseline(tmp_path: Path) -> None:
    settings = read(written(tmp_path, {}))
    assert settings == Settings(today=settings.today)


@pytest.mark.parametrize("name", [ROOT.id, ROOT.id.lower(), ROOT.name])
def test_a_rule_goes_by_its_id_and_by_its_name_in_pulumi(tmp_path: Path, name: str) -> None:
    for document in (
        {name: "advisory"},
        {name: {"enforcementLevel": "advisory"}},
        {"mlestate": {"levels": {name: "advisory"}}},
    ):
        assert level_of(ROOT, read(written(tmp_path, document))) == "advisory"


def test_all_sets_every_level_and_a_rule_of_its_own_wins(tmp_path: Path) -> None:
    settings = read(written(tmp_path, {"all": "advisory", "mlestate": {"levels": {ROOT.id: "mandatory"}}}))
    assert level_of(ROOT, settings) == "mandatory"
    assert level_of(named()["ML-AWS-SM-007"], settings) == "advisory"


def test_a_profile_sets_limits_and_a_limit_of_ones_own_wins(tmp_path: Path) -> None:
    settings = read(
        written(tmp_path, {"mlestate": {"profiles": ["regulated", "quebec"], "limits": {"retentionDays": 730}}})
    )
    assert settings[RETENTION_DAYS] == 730
    assert settings[ALLOWED_REGIONS] == ("ca-central-1", "northamerica-northeast1", "canadaeast")
    assert "northamerica-northeast2" in read(written(tmp_path, {"mlestate": {"profiles": ["canada"]}}))[ALLOWED_REGIONS]


def test_a_hardening_rule_waits_for_the_profile(tmp_path: Path) -> None:
    hardening = next(rule for rule in named().values() if rule.hardening)
    assert level_of(hardening, read(written(tmp_path, {}))) == "disabled"
    assert level_of(hardening, read(written(tmp_path, {"mlestate": {"profiles": ["regulated"]}}))) == hardening.level
    assert (
        level_of(hardening, read(written(tmp_path, {"mlestate": {"levels": {hardening.id: "advisory"}}}))) == "advisory"
    )


def test_a_waiver_holds_until_its_day_and_fails_after_it(tmp_path: Path) -> None:
    settings = read(written(tmp_path, {"mlestate": {"waivers": [WAIVER]}}))
    waiver = settings.waivers[0]
    on_the_day = Settings(waivers=(waiver,), today=date(2027, 3, 31))
    assert on_the_day.waiver(ROOT.id, "urn:pulumi:a::b::c::lab") == waiver
    assert on_the_day.waiver(ROOT.id, "urn:pulumi:a::b::c::other") is None
    assert on_the_day.waiver("ML-AWS-SM-007", "urn:pulumi:a::b::c::lab") is None
    assert not on_the_day.expired
    after = Settings(waivers=(waiver,), today=date(2027, 4, 1))
    assert after.expired == (waiver,)
    assert after.waiver(ROOT.id, "urn:pulumi:a::b::c::lab") is None


@pytest.mark.parametrize(
    ("document", "sentence"),
    [
        ("{", "is not JSON"),
        ('{"mlestate": {}, "mlestate": {}}', "mlestate: stands twice"),
        ([], "is no object"),
        ({"ml-aws-sm-999": "mandatory"}, 'there is no rule "ml-aws-sm-999"'),
        ({"ml-aws-sm-01": "mandatory"}, "did you mean ml-aws-sm-0"),
        ({ROOT.name: "strict"}, 'the level is "strict"; allowed are mandatory, advisory, remediate, disabled'),
        ({ROOT.name: ["mandatory"]}, "the level is"),
        ({ROOT.name: {"enforcementLevel": "mandatory", "days": 3}}, "days: a rule has a level only"),
        ({"mlestate": []}, "not an object"),
        ({"mlestate": {"profile": "quebec"}}, "there is no such setting; allowed are profiles"),
        ({"mlestate": {"profiles": "quebec"}}, "not a list such as"),
        ({"mlestate": {"profiles": ["ontario"]}}, 'there is no profile "ontario"; allowed are baseline'),
        ({"mlestate": {"limits": {"retentionDay": 3}}}, "there is no such limit; did you mean retentionDays?"),
        ({"mlestate": {"limits": {"retentionDays": "long"}}}, "a number that is not negative is needed"),
        ({"mlestate": {"limits": {"retentionDays": -1}}}, "a number that is not negative is needed"),
        ({"mlestate": {"limits": {"allowedRegions": "ca-central-1"}}}, "a list of texts is needed"),
        ({"mlestate": {"levels": {ROOT.id: "off"}}}, 'is "off"; allowed are'),
        ({"mlestate": {"profiles": [["regulated"]]}}, 'there is no profile ["regulated"]'),
        ({"mlestate": {"levels": {"mlestate": "disabled"}}}, 'there is no rule "mlestate"'),
        ({"mlestate": {"enforcementLevel": "off"}}, "mlestate is mandatory"),
        ({"mlestate": {"undecided": "maybe"}}, "allowed are advisory, mandatory"),
        ({"mlestate": {"waivers": [{**WAIVER, "owner": ""}]}}, "waivers[0].owner"),
        (
            {"mlestate": {"waivers": [{key: WAIVER[key] for key in WAIVER if key != "owner"}]}},
            "waivers[0].owner: is not set",
        ),
        ({"mlestate": {"waivers": [{**WAIVER, "expires": "soon"}]}}, "a day is needed, such as 2027-03-31"),
        ({"mlestate": {"waivers": [{**WAIVER, "rule": "ML-AWS-SM-999"}]}}, "there is no rule"),
        ({"mlestate": {"waivers": [{**WAIVER, "until": "2028"}]}}, "there is no such field"),
        ({"mlestate": {"waivers": ["all"]}}, "not an object with rule, urn"),
    ],
)
def test_what_is_wrong_is_said_with_what_is_allowed(tmp_path: Path, document: Any, sentence: str) -> None:
    with pytest.raises(ConfigurationWrong) as error:
        read(written(tmp_path, document))
    assert sentence in str(error.value)
    assert str(tmp_path) in str(error.value)


def test_everything_that_is_wrong_is_said_at_once(tmp_path: Path) -> None:
    document = {
        "nothing": "mandatory",
        ROOT.name: "x",
        "mlestate": {"undecided": 1, "limits": {"x": 1}, "profiles": ["y"]},
    }
    with pytest.raises(ConfigurationWrong) as error:
        read(written(tmp_path, document))
    assert len(str(error.value).splitlines()) == 5


def test_a_file_that_is_not_there_is_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationWrong, match="cannot be read: No such file"):
        read(tmp_path / "missing.json")
