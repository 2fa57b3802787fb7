"""host/README.md names every room there is, on the floor that import-linter holds it to."""

import re
import tomllib
from pathlib import Path

REPOSITORY = Path(__file__).parents[2]
ROW = re.compile(r"^\| (\d+) \| `(\w+)(\.py|/)` \|", re.MULTILINE)


def listed() -> list[tuple[str, str, str]]:
    return ROW.findall((REPOSITORY / "host" / "README.md").read_text(encoding="utf-8"))


def test_the_rooms_listed_are_the_folders_and_modules_on_disk():
    package = REPOSITORY / "host" / "jumpseat"
    folders = {f"{file.parent.name}/" for file in package.glob("*/__init__.py")}
    modules = {file.name for file in package.glob("*.py") if not file.name.startswith("__")}

    assert sorted(name + ending for _, name, ending in listed()) == sorted(folders | modules)


def test_each_room_stands_on_its_floor_of_the_import_rules():
    rules = tomllib.loads((REPOSITORY / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["importlinter"]["contracts"]
    layers = next(rule["layers"] for rule in rules if rule["type"] == "layers")
    above_each_other = [set(re.findall(r"\w+", layer)) for layer in reversed(layers)]
    floors: dict[int, set[str]] = {}
    for floor, name, _ in listed():
        floors.setdefault(int(floor), set()).add(name)

    assert [floors[number] for number in sorted(floors)] == above_each_other
