"""Rules over resources of AWS."""
