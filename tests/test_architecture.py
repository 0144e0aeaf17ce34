"""What may import what: the direction of data, guarded."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from mlestate.estate import CLOUDS

PACKAGE = Path(__file__).parents[1] / "components" / "mlestate"
SDKS = {"aws": "pulumi_aws", "gcp": "pulumi_gcp", "azure": "pulumi_azure_native"}
FILES = sorted(PACKAGE.rglob("*.py"))


def _imports(file: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(file.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def _calls(file: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(file.read_text())):
        if isinstance(node, ast.Call):
            yield ast.unparse(node.func)


def _where(file: Path) -> str:
    return file.relative_to(PACKAGE).as_posix()


@pytest.mark.parametrize("cloud", CLOUDS)
def test_a_cloud_imports_its_own_sdk_and_no_sibling(cloud: str) -> None:
    others = [f"mlestate.{other}" for other in CLOUDS if other != cloud]
    others += [sdk for other, sdk in SDKS.items() if other != cloud]
    for file in (PACKAGE / cloud).glob("*.py"):
        found = [name for name in _imports(file) if any(name == each or name.startswith(f"{each}.") for each in others)]
        assert not found, f"{_where(file)} must be readable without the other clouds"


def test_an_sdk_is_imported_in_its_cloud_and_nowhere_else() -> None:
    for file in FILES:
        if file.parent.name not in CLOUDS:
            found = [name for name in _imports(file) if name.split(".")[0] in SDKS.values()]
            assert not found, f"{_where(file)}: an SDK that is not installed must not stop the other clouds"


def test_configuration_and_names_know_no_pulumi() -> None:
    pure = [*(PACKAGE / "config").glob("*.py"), PACKAGE / "names.py", PACKAGE / "errors.py"]
    pure += [PACKAGE / cloud / "settings.py" for cloud in CLOUDS]
    for file in pure:
        found = [name for name in _imports(file) if re.match(r"pulumi(_|\.|$)", name)]
        assert not found, f"{_where(file)}: a mistake must be found without Pulumi, and in a fraction of its start"


def test_parts_read_no_config_no_environment_and_no_file() -> None:
    parts = [file for cloud in CLOUDS for file in (PACKAGE / cloud).glob("*.py") if file.name != "settings.py"]
    parts += [PACKAGE / "part.py", PACKAGE / "estate.py", PACKAGE / "contract.py"]
    forbidden = re.compile(
        r"pulumi\.(Config|export|get_stack|get_project)|os\.(environ|getenv)|open|.*\.(read_text|read_bytes|open)"
        r"|.*\.get_[a-z_]+(_output)?"
    )
    allowed = re.compile(r".*\.get_(secret|args)$")
    for file in parts:
        found = [call for call in _calls(file) if forbidden.fullmatch(call) and not allowed.fullmatch(call)]
        assert not found, f"{_where(file)}: facts come from the file or from a part, so that a preview is never blind"


def test_nothing_is_created_inside_an_apply() -> None:
    for file in [file for cloud in CLOUDS for file in (PACKAGE / cloud).glob("*.py")]:
        for node in ast.walk(ast.parse(file.read_text())):
            if isinstance(node, ast.Call) and ast.unparse(node.func).endswith(".apply"):
                inside = [ast.unparse(each.func) for each in ast.walk(node) if isinstance(each, ast.Call)]
                made = [call for call in inside if re.search(r"\.[A-Z][A-Za-z]+$", call)]
                assert not made, f"{_where(file)}: a resource made inside an apply is missing from every preview"


def test_outputs_never_enter_pydantic() -> None:
    for file in [*(PACKAGE / "config").glob("*.py"), *PACKAGE.glob("*/settings.py")]:
        assert "arbitrary_types_allowed" not in file.read_text(), f"{_where(file)}: Outputs belong to parts"


def test_the_cloud_is_chosen_in_one_place() -> None:
    for file in FILES:
        if file.parent.name in ("config", "local") or file.name in ("settings.py", "names.py"):
            continue
        for node in ast.walk(ast.parse(file.read_text())):
            if isinstance(node, ast.Compare):
                words = {each.value for each in ast.walk(node) if isinstance(each, ast.Constant)}
                assert not words & set(CLOUDS), f"{_where(file)}:{node.lineno} compares the cloud; the table chooses it"


def test_a_cloud_s_page_has_no_if() -> None:
    for cloud in CLOUDS:
        tree = ast.parse((PACKAGE / cloud / "cloud.py").read_text())
        found = [node.lineno for node in ast.walk(tree) if isinstance(node, ast.If | ast.IfExp | ast.Match)]
        assert not found, f"{cloud}/cloud.py is one page, one method a part"


def test_the_three_clouds_have_the_same_files() -> None:
    pages = {cloud: {file.name for file in (PACKAGE / cloud).glob("*.py")} for cloud in CLOUDS}
    shared = {"settings.py", "cloud.py", "keys.py", "data.py", "registry.py"}
    for cloud, names in pages.items():
        assert shared <= names, f"{cloud}: reading one cloud teaches the others"
