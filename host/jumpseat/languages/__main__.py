"""``python -m jumpseat.languages update [FOLDER …]``: collect the texts and bring the ``.po`` files up to date.

Without a folder it is the repository of the host, with its plugins; with folders, the packages of plugins, each with its ``locale/``.
What is translated stays; texts that are new, or changed and to be looked at again, are counted.
"""

from __future__ import annotations

import sys
from pathlib import Path

from jumpseat.languages.collecting import packages_of_repository, plugin_package
from jumpseat.languages.updating import update

REPOSITORY = Path(__file__).parents[3]


def main(arguments: list[str]) -> int:
    """Run the command; answers its exit code: 0 when every text has its translation, 1 when some are missing, 2 for a wrong call."""
    command, *folders = arguments or [""]
    if command != "update" or not all(Path(folder).is_dir() for folder in folders):
        print(__doc__, file=sys.stderr)
        return 2
    packages = [plugin_package(Path(folder).resolve()) for folder in folders] or packages_of_repository(REPOSITORY)
    missing = 0
    for package in packages:
        for file, open_texts in update(package):
            missing += open_texts
            print(f"{file}: {open_texts} to translate" if open_texts else f"{file}: complete")
    return 1 if missing else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
