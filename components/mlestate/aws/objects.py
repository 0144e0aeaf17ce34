"""Files that the estate itself puts into its buckets."""

from mlestate.names import Names

__all__ = ["object_tags"]

MOST = 10
"""Tags of an S3 object (S3 user guide, "Categorizing your objects using tags")."""

FIRST = ("estate", "environment", "managed-by", "owner", "model")


def object_tags(names: Names) -> dict[str, str]:
    """The tags of an object: the estate's own words, then the user's in their order, as many as an object takes."""
    tags = names.tags
    ordered = [*(key for key in FIRST if key in tags), *(key for key in tags if key not in FIRST)]
    return {key: tags[key] for key in ordered[:MOST]}
