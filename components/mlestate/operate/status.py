"""`mlestate status`: where every model stands in every environment, what it waits for, and what was decided."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from mlestate.config.estate import Estate
from mlestate.local.display import console
from mlestate.names import HUB
from mlestate.operate import access, checked, display
from mlestate.operate.contract import (
    RECENT,
    Denied,
    Document,
    Elsewhere,
    Event,
    Ledger,
    Place,
    Refused,
    Version,
)
from mlestate.operate.evidence import Evidence, numbers
from mlestate.operate.orders import refuse
from mlestate.operate.words import moment, parsed, spell
from mlestate.release import OUTCOMES, STAGES, promotion, rollout

__all__ = ["status"]

READERS = ("ml-engineer", "operator", "approver", "auditor")
HUB_READERS = ("ml-engineer", "approver", "auditor")


def status(file: Path, model: str | None, environment: str | None, *, as_json: bool, trail: bool, days: int) -> bool:
    """Print it; True when what these credentials may see could be read.

    A persona sees its own slice. What lies elsewhere, or is another's to see, is named with who may see it, and counts
    as failed only where no environment that was asked for could be seen.

    Raises:
        InputError: the file is wrong or has no such model or environment, or its cloud cannot be asked yet.
    """
    config = checked(file, model, environment)
    try:
        found = _Estate(config, file, [model] if model else [*config.models], environment)
        document = found.document()
        if trail:
            document |= found.trail(days)
    except Refused as error:
        return refuse("status", error, as_json=as_json)
    if as_json:
        console().print_json(json.dumps(document, default=_plain))
    else:
        display.status(console(), document, datetime.now(UTC))
    return not found.failed and not found.blind


def _plain(value: Any) -> str:
    return value.isoformat(timespec="seconds") if isinstance(value, datetime) else str(value)


class _Estate:
    """The slices that are asked, and what they could not say."""

    def __init__(self, config: Estate, file: Path, models: Sequence[str], environment: str | None) -> None:
        self._config, self._file, self._models = config, file, models
        self._environments = [environment] if environment else list(config.environments)
        self.failed = False
        self._seen: set[str] = set()
        self._access = access(config)
        self._places: dict[str, Place | str] = {name: self._enter(name) for name in (HUB, *self._environments)}

    @property
    def blind(self) -> bool:
        """Whether none of the environments that were asked for could be seen."""
        return bool(self._models) and not self._seen

    def _unknown(self, error: Refused) -> str:
        """A refusal in its place; what is another's to see is no failure."""
        self.failed = self.failed or not isinstance(error, Denied)
        return str(error)

    def _enter(self, slice_: str) -> Place | str:
        try:
            return self._access.enter(slice_, HUB_READERS if slice_ == HUB else READERS)
        except Elsewhere as error:
            return str(error)

    def document(self) -> dict[str, Any]:
        """As `--json` prints it."""
        places = [each for each in self._places.values() if not isinstance(each, str)]
        return {
            "estate": self._config.name,
            "cloud": self._config.cloud,
            "as": places[0].caller.identity if places else None,
            "at": datetime.now(UTC),
            "elsewhere": {name: place for name, place in self._places.items() if isinstance(place, str)},
            "models": {
                model: {
                    "registry": self._registry(model),
                    "environments": {each: self._standing(model, each) for each in self._environments},
                }
                for model in self._models
            },
        }

    def _registry(self, model: str) -> dict[str, Any]:
        place = self._places[HUB]
        if isinstance(place, str):
            return {"newest": None, "waiting": [], "unknown": place}
        try:
            newest, waiting = place.newest(model), place.waiting(model)
        except Refused as error:
            return {"newest": None, "waiting": [], "unknown": self._unknown(error)}
        return {
            "newest": None if newest is None else _listed(newest),
            "waiting": [
                _listed(each) | {"command": f"mlestate approve {self._file} {model} {each.number} --reason '...'"}
                for each in waiting
                if each.usable
            ],
            "unknown": None,
        }

    def _standing(self, model: str, environment: str) -> dict[str, Any]:
        if self._config.model(model, environment).serving.mode == "none":
            self._seen.add(environment)
            return {"serves": False, "unknown": None}
        place = self._places[environment]
        if isinstance(place, str):
            return {"serves": True, "unknown": place}
        try:
            found = _Standing(self._config, self._file, place, model, environment).document()
        except Refused as error:
            return {"serves": True, "unknown": self._unknown(error)}
        self._seen.add(environment)
        return found

    def trail(self, days: int) -> dict[str, Any]:
        """The audit trail's view, from one slice in each account that the credentials are of."""
        reachable = [name for name, place in self._places.items() if not isinstance(place, str)]
        if not reachable:
            unknown = "no slice of the estate lies in the account of these credentials"
            return {"trail": [], "trail_cut": [], "trail_unknown": unknown}
        try:
            place = self._access.enter(reachable[-1], ("auditor",))
            found = place.trail([HUB, *self._environments], days)
        except Refused as error:
            self.failed = True
            return {"trail": [], "trail_cut": [], "trail_unknown": str(error)}
        kept = [each for each in found.events if self._is_asked_for(each)]
        return {"trail": [asdict(each) for each in kept], "trail_cut": [*found.cut], "trail_unknown": None}

    def _is_asked_for(self, event: Event) -> bool:
        """Machines are of all models; everything else is named after one."""
        if set(self._models) == set(self._config.models) or event.what in ("StartExecution", "StopExecution"):
            return True
        things = [
            thing
            for slice_ in (HUB, *self._environments)
            for model in self._models
            for thing in (f"{self._config.name}-{slice_}-{model}", f"/mlestate/{self._config.name}/{slice_}/{model}")
        ]
        return any(event.on == each or event.on.startswith(f"{each}/") for each in things)


def _watched(release: Document | None) -> dict[str, Any] | None:
    """What was seen of a release's version while it was watched, and how it compared; None where nothing was."""
    found = {key: (release or {}).get(key) for key in ("measured", "comparison")}
    if release is None or not any(isinstance(each, Mapping) for each in found.values()):
        return None
    return {"version": release.get("version"), **found}


def _listed(version: Version) -> dict[str, Any]:
    return {"version": version.number, "verdict": version.verdict, "registered": version.registered}


class _Standing:
    """One model in one environment, read off its ledger."""

    def __init__(self, config: Estate, file: Path, place: Place, model: str, environment: str) -> None:
        self._config, self._file, self._place = config, file, place
        self._model, self._environment = model, environment
        self._settings = config.model(model, environment)
        self._ledger: Ledger = place.ledger(model)
        self._running = self._release()

    def document(self) -> dict[str, Any]:
        ended = [each for each in self._ledger.releases if each.get("outcome")]
        waiting = self._waiting(ended)
        approvals = self._approvals(waiting)
        newest = next((each for each in ended if not each.get("rollback")), None)
        return {
            "serves": True,
            "unknown": None,
            "live": self._ledger.live,
            "release": self._running,
            "waits_for": self._waits_for(waiting, approvals),
            "approvals": approvals,
            "outcomes": [{**each, "means": OUTCOMES.get(each["outcome"], "")} for each in ended[:RECENT]],
            "metrics": self._metrics(waiting),
            "watched": _watched(self._running or newest),
            "retraining": [*self._ledger.retraining],
        }

    def _waiting(self, ended: Sequence[Document]) -> list[Document]:
        """The last entry of each version that waits, the newest version first. One that is older than what is in use
        waits only where it was asked for since."""
        last: dict[int, Document] = {}
        for each in ended:
            if isinstance(version := each.get("version"), int) and not each.get("rollback"):
                last.setdefault(version, each)
        live = self._ledger.live or {}
        own, since = live.get("version"), str(live.get("since") or "")
        running = (self._running or {}).get("version")
        return [
            each
            for version, each in sorted(last.items(), reverse=True)
            if str(each["outcome"]).startswith("waiting-")
            and version not in (own, running)
            and (not isinstance(own, int) or version > own or str(each.get("started")) > since)
        ]

    def _release(self) -> dict[str, Any] | None:
        """The release that has the turn, with what its last entry says; one that died is said to have."""
        turn = self._ledger.turn
        if turn is None:
            return None
        entry = next((each for each in self._ledger.releases if each.get("execution") == turn.execution), {})
        passes_on = promotion(self._environment, self._config.promotion_path, {})["to"] is not None
        return {
            "phase": "checking",
            "since": turn.since,
            "version": turn.version,
            "strategy": rollout(self._settings, passes_on=passes_on)["strategy"],
            **entry,
            "execution": turn.execution,
            "rollback": turn.is_rollback,
            "running": self._place.is_running(turn),
        }

    def _approvals(self, waiting: Sequence[Document]) -> list[dict[str, Any]]:
        """Who agreed to what comes, and to what is in use; nothing where nobody is asked."""
        needed = promotion(self._environment, self._config.promotion_path, self._config.promotion.approval)["approvals"]
        if not needed:
            return []
        subjects = [self._running or {}, *waiting, self._ledger.live or {}]
        versions = dict.fromkeys(each.get("version") for each in subjects)
        return [
            {
                "version": version,
                "needed": needed,
                "given": [asdict(each) for each in self._place.approvals(self._model, version)],
            }
            for version in versions
            if isinstance(version, int)
        ]

    def _waits_for(self, waiting: Sequence[Document], approvals: Sequence[Mapping[str, Any]]) -> list[str]:
        """What happens next, and who has to do it; empty where nothing is under way."""
        found = [] if self._running is None else [self._next(self._running)]
        found += [self._waits(each, approvals) for each in waiting]
        if not found and self._ledger.live is None:
            return ["a first version; none was released here yet"]
        return found

    def _waits(self, waiting: Document, approvals: Sequence[Mapping[str, Any]]) -> str:
        version, outcome = waiting["version"], waiting["outcome"]
        asked = next((each for each in approvals if each["version"] == version), None)
        if outcome != "waiting-for-approval" or asked is None:
            return str(waiting.get("reason") or OUTCOMES[outcome])
        people = {each["person"] for each in asked["given"]}
        return (
            f"the approval of {asked['needed']} for version {version}, {len(people)} gave it"
            f"{': ' + ', '.join(sorted(people)) if people else ''}. To agree: mlestate approve {self._file} "
            f"{self._model} {version} --environment {self._environment} --reason '...'"
        )

    def _next(self, running: Mapping[str, Any]) -> str:
        if not running["running"]:
            return (
                "nothing: what ran it has ended without a word. The next release takes its turn over: mlestate promote "
                f"{self._file} {self._model} {running.get('version')} --environment {self._environment}"
            )
        if running["rollback"]:
            return "the version before to have all traffic again"
        phases = [phase for stage in STAGES if running["strategy"] in stage.strategies for phase in stage.phases]
        phase, since = running["phase"], parsed(running.get("since"))
        following = phases[phases.index(phase) + 1] if phase in phases[:-1] else None
        then = f", then {following}" if following else ""
        passes_on = promotion(self._environment, self._config.promotion_path, {})["to"] is not None
        bake = rollout(self._settings, passes_on=passes_on)["bake_seconds"]
        if phase not in ("baking", "comparing"):
            return f"{phase} to end{then}"
        each = " at each step" if running["strategy"] == "canary" and phase == "comparing" else ""
        until = f", about {moment(since + timedelta(seconds=bake))}" if since and not each else ""
        return f"{spell(bake)} of watching{each} to end{until}{then}"

    def _metrics(self, waiting: Sequence[Document]) -> dict[str, Any]:
        """The numbers of the version in use and of the one that comes, against the gates."""
        live = self._ledger.live or {}
        in_use = next(
            (
                each
                for each in self._ledger.releases
                if each.get("version") == live.get("version") and each.get("challenger")
            ),
            {},
        )
        agreed = (each for each in waiting if each["outcome"] == "waiting-for-approval")
        coming = self._running or next(agreed, {})
        challenger, champion = coming.get("challenger"), coming.get("champion") or in_use.get("challenger")
        version = coming.get("version")
        evaluation: Mapping[str, Any] = {"metrics": challenger}
        if challenger is None and isinstance(version, int):
            evaluation = self._evaluation(version)
            champion = champion or (evaluation.get("champion") or {}).get("metrics")
        found = Evidence.of(
            self._settings, "", {**evaluation, "champion": {"version": live.get("version"), "metrics": champion}}
        )
        known = [each for each in found.checks if each.value is not None or each.champion is not None]
        theirs = numbers({"metrics": champion})
        extra = [name for name in theirs if name not in {each.name for each in known}]
        return {
            "champion": live.get("version"),
            "challenger": version,
            "numbers": [
                {
                    "name": each.name,
                    "bound": each.bound,
                    "limit": each.limit,
                    "champion": each.champion,
                    "challenger": each.value,
                }
                for each in known
            ]
            + [
                {"name": name, "bound": None, "limit": None, "champion": theirs[name], "challenger": None}
                for name in extra
            ],
        }

    def _evaluation(self, version: int) -> Document:
        """Nothing where it cannot be read: the numbers are then not shown, and everything else is."""
        try:
            return self._place.evaluation(self._place.version(self._model, version))[1]
        except Refused:
            return {}
