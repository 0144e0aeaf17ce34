"""The pack of mlestate's rules: What holds on all clouds, and what only the whole stack shows."""

from mlestate_policies.pack import serve

serve("any")
