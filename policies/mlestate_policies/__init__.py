"""Rules for MLOps estates on SageMaker, Vertex AI and Azure ML, judged on what Pulumi registers.

A rule is a function over one resource or over a whole stack. The same functions run inside Pulumi (`policies/aws` and
its siblings are the packs), in `mlestate plan --policy` and in `mlestate policy check`. Nothing here imports a cloud's
SDK, and only `pack` imports Pulumi's: a rule names types by their tokens.
"""
