"""The pack of mlestate's rules: Vertex AI and what stands around it."""

from mlestate_policies.pack import serve

serve("gcp")
