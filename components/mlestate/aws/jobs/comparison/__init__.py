"""Compares two versions of a model that answered side by side on one endpoint, and says which of them goes on.

A package that SageMaker runs as a processing job in its own scikit-learn image, in the folders that it has here:
`python3 -m mlestate.aws.jobs.comparison`. It needs Python 3.8 and boto3, which are in that image, the readers of the
monitor beside it, and the judgement that all clouds share, `mlestate.comparison`; nothing else of the estate's.

It reads what the endpoint captured of each version between two moments, in the forms that the monitor reads, and true
outcomes from where the monitor reads them. Of what is captured under a version's name: what SageMaker keeps of a shadow
lies under the shadow's. A request and its copy are found by the id that the caller sent, or by the capture's own where
the two have the same.

Two answers to a request are the same where every row of it got the same class, or of a regression a number within
`TOLERANCE`.

It writes `comparison.json`::

    {"version": 1, "model", "strategy", "since", "until",
     "verdict": "promote" | "keep" | "undecided", "reason": <a sentence>,
     "metric": <its name> or null,
     "champion": {"requests", "labelled", "metric": <number> or null, "interval": [<low>, <high>] or null},
     "challenger": {the same},
     "improvement": {"metric", "interval"} or null,
     "pairs", "disagreement": <share of the pairs> or null}

`requests` are those that were captured, `labelled` rows of them whose outcome is known; for a shadow only of requests
that both answered. `improvement` is above zero where the challenger is better, also where less of the metric is more.
Intervals are of 95 percent.
"""
