"""``python -m jumpseat``: the command line."""

from jumpseat.cli import main

if __name__ == "__main__":
    main()
