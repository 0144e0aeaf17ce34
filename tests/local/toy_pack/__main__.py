"""A pack that is not ours: one policy of each kind, as Pulumi's documentation writes them."""

from typing import Any

from pulumi_policy import (
    EnforcementLevel,
    PolicyConfigSchema,
    PolicyPack,
    ReportViolation,
    ResourceValidationArgs,
    ResourceValidationPolicy,
    StackValidationArgs,
    StackValidationPolicy,
)


def is_not_black(args: ResourceValidationArgs, report_violation: ReportViolation) -> None:
    forbidden = (args.get_config() or {}).get("forbidden", "black")
    if args.resource_type.startswith("toy:") and args.props["colour"] == forbidden:
        report_violation(f"a toy is {forbidden}", None)


def is_tinted(args: ResourceValidationArgs, report_violation: ReportViolation) -> None:
    if args.resource_type.startswith("toy:") and args.props.get("colour") == "pale":
        report_violation("a toy is pale", None)


def tint(args: ResourceValidationArgs) -> Any:
    if args.resource_type.startswith("toy:") and args.props.get("colour") == "pale":
        properties: Any = args.props
        properties["colour"] = "rosy"
        return properties
    return None


def are_at_most_two(args: StackValidationArgs, report_violation: ReportViolation) -> None:
    toys = sorted((each for each in args.resources if each.resource_type.startswith("toy:")), key=lambda each: each.urn)
    if len(toys) > 2:
        provider = toys[-1].provider
        made_by = provider.resource_type if provider else "nobody"
        report_violation(f"{len(toys)} toys, the last is made by {made_by}", toys[-1].urn)


PolicyPack(
    "toys",
    [
        ResourceValidationPolicy(
            "not-black",
            "A toy is not black",
            is_not_black,
            EnforcementLevel.MANDATORY,
            PolicyConfigSchema({"forbidden": {"type": "string", "default": "black"}}),
        ),
        ResourceValidationPolicy("tinted", "A toy is tinted", is_tinted, EnforcementLevel.REMEDIATE, remediate=tint),
        StackValidationPolicy("few", "There are few toys", are_at_most_two, EnforcementLevel.ADVISORY),
    ],
)
