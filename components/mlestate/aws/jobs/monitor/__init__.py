"""Looks at what an endpoint was asked and answered, and says in numbers how far it is from what the model learned.

A package that SageMaker runs as a processing job in its own scikit-learn image: `python3 -m monitor`. It needs
Python 3.8 and boto3, which are in that image, and nothing of the estate's.

It reads

- the requests that the endpoint captured (SageMaker developer guide, "Data capture"): JSON with `instances` and
  `predictions`, a list of either, or CSV whose columns stand in the baseline's order. An answer is a value, or an
  object with `prediction` and, for a class, `probability`. Or what batch transforms read and wrote, in lines of CSV or
  of JSON (developer guide, "Capture data from batch transform job");
- two baselines, each a `statistics.json` as SageMaker's own monitor writes it (developer guide, "Schema for
  Statistics"): that of the data which the model learned from, and that of what it answered on its holdout, whose one
  feature is called `prediction`;
- true outcomes, in files under yyyy/mm/dd/hh/ as SageMaker takes them (developer guide, "Ingest Ground Truth Labels"),
  matched by the id that the caller sent with the request, or by the capture's own.

It writes `report.json` and prints every number as a line of CloudWatch's embedded metric format, which CloudWatch Logs
makes a metric of. `Rows` is printed in every run: where it is missing, the monitor did not run. A window with fewer
than `MINIMUM` rows has no other number, because a distance between a few rows and thousands says nothing.
"""
