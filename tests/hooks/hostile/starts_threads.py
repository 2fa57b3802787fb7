import threading

from jumpseat import hookimpl

stop = threading.Event()
for _ in range(20):
    threading.Thread(target=stop.wait, daemon=True).start()


@hookimpl
def session_type_allowed(record):
    for _ in range(20):
        threading.Thread(target=stop.wait, daemon=True).start()
