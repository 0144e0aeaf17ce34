"""The pack of mlestate's rules: SageMaker and what stands around it."""

from mlestate_policies.pack import serve

serve("aws")
