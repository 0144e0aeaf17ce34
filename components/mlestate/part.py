"""The one base class of everything an estate is made of."""

from collections.abc import Mapping
from typing import Any

from pulumi import ComponentResource, Output, ResourceOptions

from mlestate.names import Names

__all__ = ["Part"]


class Part(ComponentResource):
    """A named piece of the estate: the folder it lives in is the cloud, the class is the part.

    The type token (``mlestate:aws:Data``) and the logical name (``risk-staging-data``) are derived, never typed, so
    moving or renaming a class changes the URN of everything in it: an alias is then owed.

    A subclass annotates its outputs, creates its children with ``self.child()`` and ends in ``self.publish(...)``.
    The caller's options are never merged into a child: they would move the child to the caller's parent and hand it the
    caller's aliases and ignored changes. Providers, protection and retention flow by parentage.
    """

    names: Names

    def __init__(self, names: Names, opts: ResourceOptions | None = None, *, container: str | None = None) -> None:
        """``container`` is the logical name of a part that stands for a whole slice, which needs no noun behind it."""
        package = type(self).__module__.split(".")
        cloud = package[1] if len(package) > 2 else "index"
        noun = type(self).__name__
        self._logical = container or names.logical(noun.lower())
        super().__init__(f"mlestate:{cloud}:{noun}", self._logical, {}, opts)
        self.names = names

    def named(self, role: str) -> str:
        """The logical name of a child; its role says what it is for."""
        return f"{self._logical}-{role}"

    def child(self, **options: Any) -> ResourceOptions:
        """Options of a resource that this part owns."""
        return ResourceOptions(parent=self, **options)

    def publish(self, **outputs: Output[Any] | Mapping[str, Output[Any] | Mapping[str, Output[Any]]]) -> None:
        """Set and register exactly the outputs that the class annotates: the last line of every constructor.

        Raises:
            TypeError: the outputs are not the annotated ones.
        """
        promised = set(type(self).__annotations__)
        if promised != set(outputs):
            raise TypeError(f"{type(self).__name__} promises {sorted(promised)}, publishes {sorted(outputs)}")
        for key, value in outputs.items():
            setattr(self, key, value)
        self.register_outputs(outputs)
