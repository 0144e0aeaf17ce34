"""SageMaker Pipelines in miniature: runs a pipeline definition with folders for S3 and processes for containers.

What it does as SageMaker does: the order of the steps, inputs copied in and outputs copied out, an input folder that
holds nothing fails a job, a job that ends with an error ends the run, a condition reads property files, a step without
a network reaches no store. What it leaves out: permissions, machines, retries, time.
"""

import json
import os
import re
import shutil
import subprocess
import sys
import tarfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

RUN_ID = "run000000001"
STEP = re.compile(r"Steps\.([A-Za-z0-9_-]+)\.(.+)")
OUTPUT = re.compile(r"ProcessingOutputConfig\.Outputs\['([^']+)'\]\.S3Output\.S3Uri")
COMPARISONS = {
    "Equals": lambda left, right: left == right,
    "GreaterThanOrEqualTo": lambda left, right: left >= right,
    "LessThanOrEqualTo": lambda left, right: left <= right,
}


class Stopped(Exception):
    """The run ends here, and why."""


@dataclass
class Run:
    """One execution of a definition, over the folder that stands for S3; ``image`` is where the container's code is."""

    definition: Mapping[str, Any]
    store: Path
    work: Path
    image: Path
    parameters: dict[str, str] = field(default_factory=dict)
    ran: list[str] = field(default_factory=list)
    registered: dict[str, Any] | None = None
    stopped: str | None = None
    _places: dict[str, dict[str, str]] = field(default_factory=dict)

    def start(self) -> "Run":
        for each in self.definition["Parameters"]:
            if "DefaultValue" in each:
                self.parameters.setdefault(each["Name"], each["DefaultValue"])
        waiting = list(self.definition["Steps"])
        try:
            while waiting:
                ready = next(step for step in waiting if self._waits_for(step) <= set(self.ran))
                waiting.remove(ready)
                self._step(ready)
        except Stopped as reason:
            self.stopped = str(reason)
        return self

    def folder(self, uri: str) -> Path:
        """Where the objects of a URI lie."""
        return self.store / uri.removeprefix("s3://")

    def _waits_for(self, step: Mapping[str, Any]) -> set[str]:
        own = {**step["Arguments"]}
        for branch in ("IfSteps", "ElseSteps"):
            own.pop(branch, None)
        return {*step.get("DependsOn", ()), *re.findall(r"Steps\.([A-Za-z0-9_-]+)\.", json.dumps(own))}

    def _step(self, step: Mapping[str, Any]) -> None:
        kind = step["Type"]
        if kind == "Condition":
            held = all(self._holds(each) for each in step["Arguments"]["Conditions"])
            self.ran.append(step["Name"])
            for inner in step["Arguments"]["IfSteps" if held else "ElseSteps"]:
                self._step(inner)
            return
        arguments = self._filled(step["Arguments"])
        if kind == "Fail":
            raise Stopped(arguments["ErrorMessage"])
        if kind == "RegisterModel":
            self.registered = arguments
        else:
            (self._training if kind == "Training" else self._processing)(step["Name"], arguments)
        self.ran.append(step["Name"])

    def _processing(self, name: str, arguments: Mapping[str, Any]) -> None:
        root = self.work / name
        for each in arguments["ProcessingInputs"]:
            self._fetch(name, each["S3Input"]["S3Uri"], root / each["S3Input"]["LocalPath"].lstrip("/"))
        outputs = {each["OutputName"]: each["S3Output"] for each in arguments["ProcessingOutputConfig"]["Outputs"]}
        for each in outputs.values():
            (root / each["LocalPath"].lstrip("/")).mkdir(parents=True)
        program = arguments["AppSpecification"]
        self._container(name, root, program, arguments, arguments["NetworkConfig"]["EnableNetworkIsolation"])
        for each in outputs.values():
            shutil.copytree(root / each["LocalPath"].lstrip("/"), self.folder(each["S3Uri"]), dirs_exist_ok=True)
        self._places[name] = {output: each["S3Uri"] for output, each in outputs.items()}

    def _training(self, name: str, arguments: Mapping[str, Any]) -> None:
        root = self.work / name
        for each in arguments["InputDataConfig"]:
            source = each["DataSource"]["S3DataSource"]["S3Uri"]
            self._fetch(name, source, root / "opt/ml/input/data" / each["ChannelName"])
        program = arguments["AlgorithmSpecification"]
        self._container(name, root, program, arguments, arguments["EnableNetworkIsolation"])
        uri = f"{arguments['OutputDataConfig']['S3OutputPath']}/pipelines-{RUN_ID}-{name}/output/model.tar.gz"
        self.folder(uri).parent.mkdir(parents=True)
        with tarfile.open(self.folder(uri), "w:gz") as archive:
            archive.add(root / "opt/ml/model", ".")
        self._places[name] = {"model": uri}

    def _fetch(self, name: str, uri: str, to: Path) -> None:
        source = self.folder(uri)
        if source.is_file():
            to.mkdir(parents=True)
            shutil.copy(source, to)
        elif source.is_dir() and any(source.rglob("*")):
            shutil.copytree(source, to)
        else:
            raise Stopped(f"{name}: no S3 objects found under {uri}")

    def _container(
        self, name: str, root: Path, program: Mapping[str, Any], arguments: Mapping[str, Any], isolated: bool
    ) -> None:
        command = [*program["ContainerEntrypoint"], *program["ContainerArguments"]]
        command = [re.sub(r"^/opt/ml", f"{root}/opt/ml", word) for word in command]
        network = {} if isolated else {"TOY_NETWORK": str(self.store)}
        environment = {**arguments["Environment"], **network, "PYTHONPATH": str(self.image), "PATH": os.environ["PATH"]}
        done = subprocess.run([sys.executable, *command[1:]], env=environment, capture_output=True, text=True)
        if done.returncode:
            raise Stopped(f"{name}: AlgorithmError, exit code: {done.returncode}\n{done.stderr}")

    def _holds(self, condition: Mapping[str, Any]) -> bool:
        read = condition["LeftValue"]["Std:JsonGet"]
        match = STEP.fullmatch(read["PropertyFile"]["Get"])
        assert match is not None
        step = next(each for each in self.definition["Steps"] if each["Name"] == match[1])
        file = next(each for each in step["PropertyFiles"] if match[2] == f"PropertyFiles.{each['PropertyFileName']}")
        value = json.loads((self.folder(self._places[match[1]][file["OutputName"]]) / file["FilePath"]).read_text())
        for part in read["Path"].split("."):
            if not isinstance(value, dict) or part not in value:
                raise Stopped(f"gates: there is no {read['Path']} in {file['FilePath']}")
            value = value[part]
        return bool(COMPARISONS[condition["Type"]](value, condition["RightValue"]))

    def _filled(self, value: Any) -> Any:
        if isinstance(value, list):
            return [self._filled(each) for each in value]
        if not isinstance(value, dict):
            return value
        if value.keys() == {"Std:Join"}:
            return value["Std:Join"]["On"].join(self._filled(each) for each in value["Std:Join"]["Values"])
        if value.keys() == {"Get"}:
            return self._value(value["Get"])
        return {key: self._filled(each) for key, each in value.items()}

    def _value(self, path: str) -> str:
        head, _, rest = path.partition(".")
        if head == "Parameters":
            return self.parameters[rest]
        if head == "Execution":
            return {"PipelineExecutionId": RUN_ID, "PipelineExecutionArn": f"arn:pipeline/execution/{RUN_ID}"}[rest]
        step, _, property_ = rest.partition(".")
        output = OUTPUT.fullmatch(property_)
        return self._places[step][output[1] if output else "model"]
