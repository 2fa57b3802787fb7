"""Ways to run ``jumpseat`` in a folder: as a process of its own, as an operator does, and in this process, which costs far less."""

from __future__ import annotations

import io
import os
import subprocess
import sys
from collections.abc import Callable
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path

import pytest

from jumpseat import cli

Run = Callable[..., subprocess.CompletedProcess[str]]
"""``run("keys", "list", NAME="value")``: with these arguments, and no variables of Jumpseat but these."""


def as_process(folder: Path) -> Run:
    environment = {name: value for name, value in os.environ.items() if not name.startswith("JUMPSEAT_")}

    def run(*arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "jumpseat", *arguments]
        return subprocess.run(command, cwd=folder, env=environment | variables, capture_output=True, text=True, timeout=100, check=False)

    return run


def in_process(folder: Path) -> Run:
    def run(*arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
        out, err = (io.TextIOWrapper(io.BytesIO(), encoding="utf-8", write_through=True) for _ in range(2))
        with pytest.MonkeyPatch.context() as patched, redirect_stdout(out), redirect_stderr(err):
            patched.chdir(folder)
            for name in [name for name in os.environ if name.startswith("JUMPSEAT_")]:
                patched.delenv(name)
            for name, value in variables.items():
                patched.setenv(name, value)
            code = cli.run(list(arguments))
        texts = (stream.buffer.getvalue().decode() for stream in (out, err))
        return subprocess.CompletedProcess(arguments, code, *texts)

    return run
