"""Estates of any size, for the benchmarks."""

from pathlib import Path


def estate(folder: Path, models: int) -> Path:
    """An estate file with that many models on AWS, each with a real-time endpoint's frame."""
    file = folder / f"models-{models}.yaml"
    lines = ["version: 1", "name: bench", "cloud: aws", "region: ca-central-1", "models:"]
    lines += [f"  model-{n:03}: {{problem: classification, serving: {{mode: realtime}}}}" for n in range(models)]
    file.write_text("\n".join(lines) + "\n")
    return file
