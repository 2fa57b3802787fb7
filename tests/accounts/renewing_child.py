"""One process of several that need the same grant at the same moment: ``renewing_child.py URL KEY TOKEN_URL TASKS``."""

from __future__ import annotations

import os
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
from accounts_kit import AtServer, keeping  # after the path above

from jumpseat.sealing import Sealer
from jumpseat.store import Store


def main() -> None:
    """Wait for the word to go, then ask with many threads; print the tokens that were handed out."""
    url, key, token_url, tasks = sys.argv[1:]
    store = Store.open(url, upgrade=False)
    kept = keeping(store, Sealer([key]), AtServer(token_url))
    print("ready", flush=True)
    sys.stdin.readline()
    if os.environ.get("DIE_BEFORE_STORING"):
        kept._stored = lambda *_: os._exit(9)  # type: ignore[method-assign]  # the provider has answered, and nobody hears of it
    with ThreadPoolExecutor(int(tasks)) as pool:
        tokens = set(pool.map(lambda _: kept.grant("desk", "005A").access_token.reveal(), range(int(tasks))))
    print(*sorted(tokens), flush=True)
    store.close()


if __name__ == "__main__":
    main()
