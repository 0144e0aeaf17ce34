"""Rules over resources of Azure."""
