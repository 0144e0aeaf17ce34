"""All rules against the framework's own floor: the same number of policies that look at nothing.

1,000 resources of `aws-regulated` through Pulumi's policy SDK, as its engine asks it: once per resource for every rule
over one resource, once for every rule over the stack. Bound: 1.5 times the floor. The least of three rounds, in seconds
of CPU. And `mlestate policy check` over the same state, which has no framework under it.
Run: .venv/bin/python benchmarks/policies.py
"""

import json
from pathlib import Path
from time import process_time
from typing import Any

from google.protobuf.struct_pb2 import Struct
from pulumi.runtime import proto
from pulumi_policy import EnforcementLevel, Policy, ResourceValidationPolicy, StackValidationPolicy

from mlestate.local.session import rehearse
from mlestate_policies.judge import judge
from mlestate_policies.pack import Servicer, policies
from mlestate_policies.reading import of_state
from mlestate_policies.rules import CLOUDS
from mlestate_policies.settings import Settings

BOUND = 1.5
RESOURCES = 1000
ROUNDS = 3
EXAMPLE = Path(__file__).parents[1] / "examples" / "aws-regulated.yaml"


def state() -> dict[str, Any]:
    """An exported state of 1,000 resources: the example's, and its own once more under other names."""
    exported = rehearse(EXAMPLE).state.export(show_secrets=True)
    resources = exported["deployment"]["resources"]
    again = [json.loads(json.dumps(each).replace("lender-risk", "lender-twin")) for each in resources[1:]]
    exported["deployment"]["resources"] = [*resources, *again][:RESOURCES]
    return exported


def seconds(work: Any) -> float:
    """The least CPU time of some rounds."""
    times = []
    for _ in range(ROUNDS):
        began = process_time()
        work()
        times.append(process_time() - began)
    return min(times)


def through_the_sdk(given: list[Policy], resources: list[dict[str, Any]]) -> tuple[float, float]:
    """Seconds for all resources one by one, and for the stack."""
    servicer: Any = Servicer("benchmark", "0.0.1", given, EnforcementLevel.MANDATORY)
    servicer.Configure(
        proto.ConfigureAnalyzerRequest(
            policyConfig={each.name: proto.PolicyConfig(enforcementLevel=proto.MANDATORY) for each in given}
        ),
        None,
    )
    one = [
        proto.AnalyzeRequest(type=each["type"], urn=each["urn"], properties=_struct(each.get("inputs")))
        for each in resources
    ]
    whole = proto.AnalyzeStackRequest(
        resources=[
            proto.AnalyzerResource(
                type=each["type"],
                urn=each["urn"],
                properties=_struct(each.get("outputs")),
                parent=each.get("parent", ""),
                propertyDependencies={
                    key: proto.AnalyzerPropertyDependencies(urns=urns)
                    for key, urns in (each.get("propertyDependencies") or {}).items()
                },
            )
            for each in resources
        ]
    )
    return (
        seconds(lambda: [servicer.Analyze(request, None) for request in one]),
        seconds(lambda: servicer.AnalyzeStack(whole, None)),
    )


def empty(policy: Policy) -> Policy:
    """A policy of the same kind that looks at nothing."""
    kind = ResourceValidationPolicy if isinstance(policy, ResourceValidationPolicy) else StackValidationPolicy
    return kind(policy.name, policy.description, lambda _args, _report: None, EnforcementLevel.MANDATORY)


def _struct(properties: dict[str, Any] | None) -> Struct:
    struct = Struct()
    struct.update(_wire(properties or {}))
    return struct


def _wire(value: Any) -> Any:
    """As the engine sends it: a secret's value is beside its mark, and not JSON in a text as in a file."""
    if isinstance(value, dict):
        opened = {key: _wire(each) for key, each in value.items() if key != "plaintext"}
        return opened | {"value": _wire(json.loads(value["plaintext"]))} if "plaintext" in value else opened
    return [_wire(each) for each in value] if isinstance(value, list) else value


def measure() -> dict[str, tuple[float, float]]:
    """Seconds of our rules and of the floor: `resources`, `stack`; and `check`, which has no floor."""
    exported = state()
    resources = exported["deployment"]["resources"]
    ours = [policy for cloud in CLOUDS for policy in policies(cloud)]
    unique = list({policy.name: policy for policy in ours}.values())
    mine, floor = through_the_sdk(unique, resources), through_the_sdk([empty(each) for each in unique], resources)
    subjects = of_state(exported, "benchmark")
    settings = Settings(profiles=("regulated",))
    check = seconds(lambda: judge(subjects.inputs, subjects.outputs, settings))
    return {"resources": (mine[0], floor[0]), "stack": (mine[1], floor[1]), "check": (check, 0.0)}


def main() -> None:
    figures = measure()
    for name in ("resources", "stack"):
        mine, floor = figures[name]
        print(f"{RESOURCES} resources, rules over {name}: {mine:.1f} s, floor {floor:.1f} s, {mine / floor:.2f}x")
    mine, floor = (sum(figures[name][part] for name in ("resources", "stack")) for part in (0, 1))
    print(f"together: {mine:.1f} s, floor {floor:.1f} s, {mine / floor:.2f}x (bound {BOUND}x)")
    print(f"mlestate policy check over the same resources: {figures['check'][0]:.2f} s")


if __name__ == "__main__":
    main()
