"""The pack of mlestate's rules: Azure Machine Learning and what stands around it."""

from mlestate_policies.pack import serve

serve("azure")
