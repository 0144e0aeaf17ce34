"""What happens after `pulumi up`, as a person meets it: `mlestate status | approve | reject | promote | rollback`.

Nothing here moves traffic: a verdict goes into the registry, a signature into a table, and a machine is started that
does the rest and writes down what it did. So whoever runs these commands needs only the rights of a persona, and what
they may is decided by the account, not here.

A command that changes something checks first, shows the evidence and the very requests that it will make, and asks.
"""

import re
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import Literal

from mlestate.config import load
from mlestate.config.estate import Estate
from mlestate.config.problems import closest
from mlestate.errors import InputError
from mlestate.names import HUB
from mlestate.operate.contract import Access, Denied, Ledger, Place, Refused, Version
from mlestate.operate.evidence import Evidence
from mlestate.operate.orders import How, Order, carry_out, refuse
from mlestate.release import promotion

__all__ = ["PLACES", "How", "access", "checked", "decide", "promote", "rollback", "version_number"]

PLACES = {"aws": "mlestate.operate.aws"}
"""By cloud: the module whose `sign_in` opens an estate."""


def checked(file: Path, model: str | None = None, environment: str | None = None) -> Estate:
    """The estate of a file, whose model and environment are there.

    Raises:
        InputError: the file is wrong, has no such model or environment, or lies on a cloud that cannot be asked yet.
    """
    config = load(file).config
    _known("model", model, tuple(config.models), file)
    _known("environment", environment, tuple(config.environments), file)
    if config.cloud not in PLACES:
        raise InputError(f"on {config.cloud} these commands are not there yet; they are on {', '.join(sorted(PLACES))}")
    return config


def _known(noun: str, word: str | None, words: tuple[str, ...], file: Path) -> None:
    if word is None or word in words:
        return
    meant = closest(word, words)
    hint = f"; did you mean {meant!r}?" if meant else ""
    raise InputError(f"{file} has no {noun} {word!r}; it has {', '.join(words) or 'none'}{hint}")


def version_number(text: str) -> int:
    """A version as people write it: `7`.

    Raises:
        InputError: it is no number that a version can have.
    """
    if re.fullmatch(r"[1-9][0-9]{0,8}", text) is None:
        raise InputError(f"{text!r} is no version: versions of a model are numbers that count from 1, such as 7")
    return int(text)


def access(config: Estate) -> Access:
    """The estate, opened by the caller's credentials.

    Raises:
        InputError: what asks the cloud is not installed.
        Refused: there are no credentials, or nobody answers.
    """
    found: Access = import_module(PLACES[config.cloud]).sign_in(config)
    return found


def decide(
    file: Path,
    model: str,
    version: str,
    verdict: Literal["approve", "reject"],
    reason: str,
    environment: str | None,
    how: How,
) -> bool:
    """Approve or reject a version in the registry; with an environment, agree to it there. True when it was done.

    Raises:
        InputError: the words make no sense together.
    """
    config, number, said = checked(file, model, environment), version_number(version), _reason(reason)

    def work() -> bool:
        if environment is not None:
            place = access(config).enter(environment, ("approver",))
            return carry_out(_agreement(config, place, model, number, said, environment), place, how)
        place = access(config).enter(HUB, ("approver",))
        return carry_out(_verdict(config, place, model, number, verdict, said), place, how)

    if environment is not None:
        _asked_for(config, model, environment)
    return _told(verdict, work, how)


def promote(file: Path, model: str, version: str, environment: str, reason: str | None, how: How) -> bool:
    """Start the release of a version in an environment; True when it was started.

    Raises:
        InputError: the words make no sense together.
    """
    config, number = checked(file, model, environment), version_number(version)
    said = None if reason is None else _reason(reason)
    _served(config, model, environment, "release")
    personas = ("approver",) if config.environments[environment].protect else ("ml-engineer", "approver")

    def work() -> bool:
        place = access(config).enter(environment, personas)
        found, notes = _approved(config, place, model, number, environment)
        needed = _needed(config, environment)
        given = len({each.person for each in place.approvals(model, number)}) if needed else 0
        if given < needed:
            notes.append(
                f"{environment} asks for the approval of {needed} and {given} gave it: until then the release ends as "
                "waiting-for-approval, and each further approval starts it again."
            )
        order = Order(
            "promote",
            config.name,
            model,
            number,
            environment,
            place.caller.identity,
            [place.release(model, number, said)],
            _evidence(config, place, found, environment),
            notes,
            f"The release checks {model}/{number} once more and goes on as {environment} says. To follow it: mlestate "
            f"status {file} {model} --environment {environment}",
        )
        return carry_out(order, place, how)

    return _told("promote", work, how)


def rollback(file: Path, model: str, environment: str, reason: str, how: How) -> bool:
    """Give the traffic back to the version before; True when that was started.

    Raises:
        InputError: the words make no sense together.
    """
    config, said = checked(file, model, environment), _reason(reason)
    _served(config, model, environment, "take back")

    def work() -> bool:
        place = access(config).enter(environment, ("operator", "ml-engineer"))
        ledger = place.ledger(model)
        if ledger.live is None:
            raise Refused(f"nothing of {model} was released in {environment} yet, so there is nothing to take back")
        order = Order(
            "rollback",
            config.name,
            model,
            None,
            environment,
            place.caller.identity,
            [place.rollback(model, said)],
            notes=[_taken_back(model, environment, ledger, place)],
            consequence=f"To follow it: mlestate status {file} {model} --environment {environment}",
        )
        return carry_out(order, place, how)

    return _told("rollback", work, how)


def _taken_back(model: str, environment: str, ledger: Ledger, place: Place) -> str:
    """What a rollback does, by what the ledger says now."""
    live, turn = ledger.live or {}, ledger.turn
    if turn is not None and not turn.is_rollback and place.is_running(turn):
        coming = f"of {model}/{turn.version}" if turn.version else f"of {model}"
        return f"A release {coming} is running: it is stopped, and {model}/{live.get('version')} has all traffic again."
    before = live.get("previous")
    if before:
        return f"In use is {model}/{live.get('version')}; {model}/{before.get('version')} gets its traffic."
    return (
        f"{model}/{live.get('version')} is the first version in {environment}: there is none to go back to, and only "
        "an endpoint that someone changed by hand is put back to it."
    )


def _told(command: str, work: Callable[[], bool], how: How) -> bool:
    try:
        return work()
    except Refused as error:
        return refuse(command, error, as_json=how.as_json)


def _reason(text: str) -> str:
    said = " ".join(text.split())
    if not said:
        raise InputError("--reason is empty: whoever reads the record later wants to know why")
    return said


def _served(config: Estate, model: str, environment: str, what: str) -> None:
    if config.model(model, environment).serving.mode == "none":
        raise InputError(
            f"{model} answers nobody in {environment} (serving.mode is none), so there is nothing to {what} there"
        )


def _asked_for(config: Estate, model: str, environment: str) -> None:
    _served(config, model, environment, "agree to")
    if not _needed(config, environment):
        raise InputError(
            f"{environment} asks for no approval of its own (promotion.approval): the one in the registry is enough. "
            f"Leave --environment out to give that one, or release it there with: mlestate promote"
        )


def _needed(config: Estate, environment: str) -> int:
    needed: int = promotion(environment, config.promotion_path, config.promotion.approval)["approvals"]
    return needed


def _verdict(
    config: Estate, place: Place, model: str, number: int, verdict: Literal["approve", "reject"], reason: str
) -> Order:
    version, status = place.version(model, number), {"approve": "approved", "reject": "rejected"}[verdict]
    notes = []
    if verdict == "approve":
        _usable(version)
        _not_alone(version, place.caller.name)
    if version.verdict != "waiting":
        who = f"by {version.changed_by}" if version.changed_by else "by whom, mlestate status --trail says"
        why = f": {version.reason}" if version.reason else ""
        notes.append(f"{model}/{number} was {version.verdict} before ({who}){why}.")
    same = version.verdict == status
    if same:
        notes.append(f"It is {status} already: nothing is left to do.")
    first, path = next(iter(config.promotion_path), None), ", ".join(config.promotion_path)
    where = version.trained_in if version.trained_in in config.environments else first
    return Order(
        verdict,
        config.name,
        model,
        number,
        None,
        place.caller.identity,
        [] if same else [place.verdict(model, number, "approved" if verdict == "approve" else "rejected", reason)],
        _evidence(config, place, version, where),
        notes,
        ""
        if same
        else f"Its release starts by itself, in this order: {path}."
        if verdict == "approve"
        else "Wherever it is in use, the version before gets the traffic back by itself.",
    )


def _agreement(config: Estate, place: Place, model: str, number: int, reason: str, environment: str) -> Order:
    version, notes = _approved(config, place, model, number, environment)
    if version is not None:
        _not_alone(version, place.caller.name)
    needed, given = _needed(config, environment), place.approvals(model, number)
    people = list(dict.fromkeys(each.person for each in given))
    if people:
        notes.append(f"{len(people)} of {needed} agreed so far: {', '.join(people)}.")
    if place.caller.signs_as in people:
        notes.append("You agreed before: your signature is written anew, and counts once.")
    after = len({*people, place.caller.signs_as})
    in_use = _in_use(place, model) == number
    if in_use:
        notes.append(f"{model}/{number} is in use in {environment} already.")
    return Order(
        "approve",
        config.name,
        model,
        number,
        environment,
        place.caller.identity,
        [place.signature(model, number, reason), place.release(model, number, reason)],
        _evidence(config, place, version, environment),
        notes,
        f"With that {after} of {needed} agreed: "
        + (
            f"the release waits for {needed - after} more."
            if after < needed
            else "the release checks it once more."
            if in_use
            else "the release goes on."
        ),
    )


def _in_use(place: Place, model: str) -> object:
    """The number of the version in use; None where there is none, or the caller may not look."""
    try:
        return (place.ledger(model).live or {}).get("version")
    except Denied:
        return None


def _usable(version: Version) -> None:
    if not version.usable:
        raise Refused(f"{version.model}/{version.number} was not made to its end in the registry, so it cannot serve")


def _not_alone(version: Version, caller: str) -> None:
    if version.registered_by == caller:
        raise Refused(
            f"{caller} registered {version.model}/{version.number}, and four eyes are asked for: someone else has to "
            "approve it"
        )


def _approved(
    config: Estate, place: Place, model: str, number: int, environment: str
) -> tuple[Version | None, list[str]]:
    """A version that may come to an environment, and what is to be known; None where the caller may not look, which
    the release then does.

    Raises:
        Refused: it may not come.
    """
    try:
        version = place.version(model, number)
    except Denied:
        return None, [
            f"The registry was not asked about {model}/{number}: these credentials may not look. The release does."
        ]
    _usable(version)
    if version.verdict != "approved":
        state = "was rejected in" if version.verdict == "rejected" else "waits for a verdict in"
        raise Refused(
            f"{model}/{number} {state} the registry, and comes to no environment before it is approved there: mlestate "
            f"approve, without --environment"
        )
    before = promotion(environment, config.promotion_path, config.promotion.approval)["from"]
    if before is not None and before not in version.passed:
        raise Refused(f"{model}/{number} has not passed {before}, which comes before {environment}")
    return version, []


def _evidence(config: Estate, place: Place, version: Version | None, environment: str | None) -> Evidence | None:
    """The version's numbers against the gates of an environment."""
    if version is None or environment is None:
        return None
    try:
        source, evaluation = place.evaluation(version)
    except Refused as error:
        return Evidence(None, unread=str(error))
    return Evidence.of(config.model(version.model, environment), source, evaluation)
