"""The configuration of a run: Pulumi's own file for `--policy-pack-config`, read the same way everywhere.

    {
      "mlestate": {
        "profiles": ["regulated", "quebec"],
        "limits": {"retentionDays": 730, "nonProduction": ["dev"]},
        "levels": {"ML-AWS-SM-010": "disabled"},
        "undecided": "mandatory",
        "waivers": [{"rule": "ML-AWS-SM-004", "urn": "*::lab-notebook", "owner": "ada@acme.example",
                     "reason": "Leaves with the pilot", "expires": "2027-03-31"}]
      },
      "ml-aws-sm-012-idle-apps-shut-down": "advisory"
    }

A level beside `mlestate` is Pulumi's own way to set one. Pulumi does not say which it was given and which are the
defaults: one that equals the pack's default changes nothing, and `levels` wins over it.
"""

import json
from collections.abc import Iterator, Mapping
from datetime import date
from pathlib import Path
from typing import Any, Final, get_args

from mlestate_policies.rules import Rule, named, rules
from mlestate_policies.settings import LIMITS, PROFILES, LevelName, Settings, Waiver

__all__ = ["HOUSEKEEPING", "SETTINGS", "SETTINGS_SCHEMA", "ConfigurationWrong", "default_level", "read", "settings_of"]

SETTINGS: Final = "mlestate"
"""The policy of every pack that holds the settings of all the others."""
HOUSEKEEPING: Final = (SETTINGS, "mlestate-waived", "mlestate-unchecked")
"""The policies of a pack that stand for no rule."""
LEVELS: Final = get_args(LevelName)
SETTINGS_SCHEMA: Final[Mapping[str, dict[str, Any]]] = {
    "profiles": {"type": "array", "items": {"type": "string", "enum": list(PROFILES)}},
    "limits": {"type": "object"},
    "levels": {"type": "object"},
    "undecided": {"type": "string", "enum": ["advisory", "mandatory"]},
    "waivers": {"type": "array", "items": {"type": "object"}},
}
"""What the settings may hold, as JSON schema."""
_WAIVER: Final = ("rule", "urn", "owner", "reason", "expires")


class ConfigurationWrong(Exception):
    """A configuration that cannot hold, with all that is wrong in it; the message is for the user."""


def read(file: Path) -> Settings:
    """The settings of a file.

    Raises:
        ConfigurationWrong: the file cannot be read, or something in it is wrong.
    """
    try:
        document = json.loads(file.read_text(encoding="utf-8"), object_pairs_hook=_once)
    except OSError as error:
        raise ConfigurationWrong(f"{file}: cannot be read: {error.strerror}") from error
    except (ValueError, RecursionError) as error:
        raise ConfigurationWrong(f"{file}: is not JSON: {error}") from error
    if not isinstance(document, dict):
        raise ConfigurationWrong(f"{file}: is no object; a configuration is {{policy: level, ...}}")
    problems: list[str] = []
    given: dict[str, str] = {}
    for name, value in document.items():
        if name in (SETTINGS, "environments"):
            continue  # `environments` are Pulumi's own, for secrets of a pack
        level = value.get("enforcementLevel") if isinstance(value, dict) else value
        more = sorted(set(value) - {"enforcementLevel"}) if isinstance(value, dict) else []
        if more:
            problems.append(
                f"{name}: {', '.join(more)}: a rule has a level only; limits are set under {SETTINGS}.limits"
            )
        if isinstance(level, str) and level in LEVELS:
            given[name] = level
        else:
            problems.append(f"{name}: the level is {_shown(level)}; allowed are {', '.join(LEVELS)}")
    everywhere = given.pop("all", None)
    levels = {rule.name: everywhere for rule in rules()} if everywhere else {}
    try:
        settings = settings_of(document.get(SETTINGS), levels | given)
    except ConfigurationWrong as error:
        problems.append(str(error))
    if problems:
        raise ConfigurationWrong("\n".join(f"{file}: {line}" for each in problems for line in each.splitlines()))
    return settings


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """An object of JSON, in which no key may stand twice: the last would win, and the first be lost without a word."""
    keys = [key for key, _ in pairs]
    if doubled := sorted({key for key in keys if keys.count(key) > 1}):
        raise ValueError(f"{', '.join(doubled)}: stands twice")
    return dict(pairs)


def settings_of(own: Any, levels: Mapping[str, str]) -> Settings:
    """The settings out of what stands under `mlestate`, and Pulumi's levels by policy name.

    Raises:
        ConfigurationWrong: all that is wrong, a line each.
    """
    problems: list[str] = []
    document = own if isinstance(own, Mapping) else {}
    if own is not None and not isinstance(own, Mapping):
        problems.append(f"{SETTINGS}: is {_shown(own)}, not an object")
    for key in sorted(set(document) - set(SETTINGS_SCHEMA) - {"enforcementLevel"}):
        problems.append(f"{SETTINGS}.{key}: there is no such setting; allowed are {', '.join(SETTINGS_SCHEMA)}")
    if document.get("enforcementLevel", LEVELS[0]) not in LEVELS:
        problems.append(f"{SETTINGS}: the level is {_shown(document['enforcementLevel'])}; {SETTINGS} is mandatory")
    chosen: dict[str, Any] = {
        rule.id: level
        for name, level in levels.items()
        if name not in HOUSEKEEPING and (rule := _rule(name, name, problems)) and level != default_level(rule)
    }
    explicit = _object(document.get("levels"), f"{SETTINGS}.levels", problems)
    for name, level in explicit.items():
        rule = _rule(name, f"{SETTINGS}.levels.{name}", problems)
        if level not in LEVELS:
            problems.append(f"{SETTINGS}.levels.{name}: is {_shown(level)}; allowed are {', '.join(LEVELS)}")
        elif rule:
            chosen[rule.id] = level
    undecided = document.get("undecided", "advisory")
    if undecided not in ("advisory", "mandatory"):
        problems.append(f"{SETTINGS}.undecided: is {_shown(undecided)}; allowed are advisory, mandatory")
    profiles = _profiles(document.get("profiles"), problems)
    limits = dict(_limits(document.get("limits"), problems))
    waivers = tuple(_waivers(document.get("waivers"), problems))
    if problems:
        raise ConfigurationWrong("\n".join(problems))
    return Settings(profiles=profiles, limits=limits, levels=chosen, waivers=waivers, undecided=undecided)


def default_level(rule: Rule) -> str:
    """What a pack says of a rule before anything is configured: what hardens waits for the profile `regulated`."""
    return "disabled" if rule.hardening else rule.level


def _rule(name: str, where: str, problems: list[str]) -> Rule | None:
    found = named().get(name)
    if found is None:
        problems.append(f"{where}: there is no rule {_shown(name)}{_like(name, named())}")
    return found


def _profiles(given: Any, problems: list[str]) -> tuple[str, ...]:
    where = f"{SETTINGS}.profiles"
    if given is None:
        return ("baseline",)
    if not isinstance(given, list):
        problems.append(f'{where}: is {_shown(given)}, not a list such as ["regulated", "quebec"]')
        return ("baseline",)
    for each in given:
        if not isinstance(each, str) or each not in PROFILES:
            problems.append(f"{where}: there is no profile {_shown(each)}; allowed are {', '.join(PROFILES)}")
    return tuple(given) or ("baseline",)


def _limits(given: Any, problems: list[str]) -> Iterator[tuple[str, float | tuple[str, ...]]]:
    rules()  # a rule's module declares its limits
    for name, value in _object(given, f"{SETTINGS}.limits", problems).items():
        where = f"{SETTINGS}.limits.{name}"
        if name not in LIMITS:
            problems.append(f"{where}: there is no such limit{_like(name, LIMITS)}")
        elif isinstance(LIMITS[name].default, tuple):
            if isinstance(value, list) and all(isinstance(each, str) for each in value):
                yield name, tuple(value)
            else:
                problems.append(f"{where}: is {_shown(value)}; a list of texts is needed")
        elif isinstance(value, int | float) and not isinstance(value, bool) and value >= 0:
            yield name, value
        else:
            problems.append(f"{where}: is {_shown(value)}; a number that is not negative is needed")


def _waivers(given: Any, problems: list[str]) -> Iterator[Waiver]:
    if given is None:
        return
    if not isinstance(given, list):
        problems.append(f"{SETTINGS}.waivers: is {_shown(given)}, not a list of objects with {', '.join(_WAIVER)}")
        return
    for index, each in enumerate(given):
        where = f"{SETTINGS}.waivers[{index}]"
        if not isinstance(each, Mapping):
            problems.append(f"{where}: is {_shown(each)}, not an object with {', '.join(_WAIVER)}")
            continue
        before = len(problems)
        for key in _WAIVER:
            if not isinstance(each.get(key), str) or not each[key].strip():
                problems.append(f"{where}.{key}: is {_shown(each.get(key))}; a waiver says {', '.join(_WAIVER)}")
        for key in sorted(set(each) - set(_WAIVER)):
            problems.append(f"{where}.{key}: there is no such field; a waiver says {', '.join(_WAIVER)}")
        if len(problems) > before:
            continue
        rule = _rule(each["rule"], f"{where}.rule", problems)
        try:
            expires = date.fromisoformat(each["expires"])
        except ValueError:
            problems.append(f"{where}.expires: is {_shown(each['expires'])}; a day is needed, such as 2027-03-31")
            continue
        if rule:
            yield Waiver(rule.id, each["urn"], each["owner"], each["reason"], expires)


def _object(given: Any, where: str, problems: list[str]) -> Mapping[str, Any]:
    if given is None or isinstance(given, Mapping):
        return given or {}
    problems.append(f"{where}: is {_shown(given)}, not an object")
    return {}


def _like(name: str, known: Mapping[str, Any]) -> str:
    from difflib import get_close_matches

    found = get_close_matches(name, known, n=1)
    return f"; did you mean {found[0]}?" if found else ""


def _shown(value: Any) -> str:
    return "not set" if value is None else json.dumps(value)
