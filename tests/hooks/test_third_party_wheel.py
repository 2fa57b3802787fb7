"""A channel that an outsider ships: built as a wheel, installed by pip, used, and gone after uninstalling."""

from __future__ import annotations

import json
import subprocess
import sys
import sysconfig
import venv
from pathlib import Path
from typing import Any

import pytest

from jumpseat.cli.skeleton import files

LOOK = """
import json, sys
from pathlib import Path
from jumpseat.hooks import Plugins
from jumpseat.testing.fakes import a_message

settings = {"gateway_url": sys.argv[2]}
plugins = Plugins.load(Path(sys.argv[1]), None, settings=lambda plugin: settings if plugin == "pigeon" else {})
found = [info for info in plugins.infos() if info.name == "pigeon"]
sent = plugins.channels["pigeon"].send(a_message("+33612345678")).kind if found else None
print(json.dumps({"found": [[i.state, i.distribution, i.version, i.channels, i.file] for i in found], "sent": sent}))
plugins.close()
"""


def run(*command: Any) -> str:
    ran = subprocess.run([str(part) for part in command], capture_output=True, text=True, check=False, timeout=100)
    assert ran.returncode == 0, ran.stdout[-2000:] + ran.stderr[-2000:]
    return ran.stdout


@pytest.fixture
def wheel(tmp_path: Path) -> Path:
    """The package that ``jumpseat plugins new pigeon`` writes, built."""
    package = tmp_path / "jumpseat-pigeon"
    for path, text in files("pigeon").items():
        (package / path).parent.mkdir(parents=True, exist_ok=True)
        (package / path).write_text(text)
    run(sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", tmp_path / "dist", package)
    return next((tmp_path / "dist").glob("*.whl"))


@pytest.fixture
def python(tmp_path: Path) -> Path:
    """A Python of its own that also sees what this one has installed, as an administrator's would."""
    venv.create(tmp_path / "venv", with_pip=False, symlinks=True)
    site = next((tmp_path / "venv").glob("lib/python*/site-packages"))
    (site / "outer.pth").write_text(f"import site; site.addsitedir({sysconfig.get_path('purelib')!r})\n")
    return tmp_path / "venv" / "bin" / "python"


def test_a_wheel_appears_sends_and_is_gone_after_uninstalling(wheel: Path, python: Path, tmp_path: Path, gateway: str) -> None:
    (tmp_path / "workspace" / "metadata").mkdir(parents=True)

    def look() -> Any:
        return json.loads(run(python, "-c", LOOK, tmp_path / "workspace", f"{gateway}/messages"))

    before = look()
    run(python, "-m", "pip", "install", "--no-deps", "--no-index", wheel)
    installed = look()
    run(python, "-m", "pip", "uninstall", "--yes", "jumpseat-pigeon")

    assert before == {"found": [], "sent": None}
    assert installed == {"found": [["active", "jumpseat-pigeon", "0.1.0", ["pigeon"], "jumpseat_pigeon/__init__.py"]], "sent": "sent"}
    assert look() == before
