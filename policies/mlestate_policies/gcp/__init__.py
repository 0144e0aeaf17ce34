"""Rules over resources of Google Cloud."""
