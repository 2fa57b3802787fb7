"""A load balancer in small: asks each server whether it is ready, and passes each connection on to one that is."""

from __future__ import annotations

import socket
import threading
from collections.abc import Sequence
from contextlib import suppress
from itertools import count

import requests

CHECK_SECONDS = 0.1


class Balancer:
    """Round robin over the servers that say they are ready; use it in a ``with`` block.

    A connection that a server does not take is offered to the next one; one that was taken is never tried again elsewhere.

    Args:
        ports: of the servers, on this machine.
    """

    def __init__(self, ports: Sequence[int]) -> None:
        self._ports, self._ready, self._turn = list(ports), dict.fromkeys(ports, False), count()
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=512)
        self._stop = threading.Event()
        self.base = f"http://127.0.0.1:{self._listener.getsockname()[1]}"
        self.without_server = 0
        """Connections for which no server was ready."""

    def __enter__(self) -> Balancer:
        for port in self._ports:
            threading.Thread(target=self._check, args=(port,), daemon=True).start()
        threading.Thread(target=self._accept, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._listener.close()

    def ready(self, port: int) -> bool:
        return self._ready[port]

    def _check(self, port: int) -> None:
        while not self._stop.wait(CHECK_SECONDS):
            try:
                answer = requests.get(f"http://127.0.0.1:{port}/health/ready", timeout=2, headers={"Connection": "close"})
                self._ready[port] = answer.status_code == 200
            except requests.RequestException:
                self._ready[port] = False

    def _accept(self) -> None:
        with suppress(OSError):
            while not self._stop.is_set():
                client, _ = self._listener.accept()
                threading.Thread(target=self._serve, args=(client,), daemon=True).start()

    def _serve(self, client: socket.socket) -> None:
        server = self._connected()
        if server is None:
            self.without_server += 1
            client.close()
            return
        back = threading.Thread(target=_pump, args=(server, client), daemon=True)
        back.start()
        _pump(client, server)
        back.join(30)
        client.close()
        server.close()

    def _connected(self) -> socket.socket | None:
        turn = next(self._turn)
        for number in range(len(self._ports)):
            port = self._ports[(turn + number) % len(self._ports)]
            if self._ready[port]:
                with suppress(OSError):
                    return socket.create_connection(("127.0.0.1", port), timeout=30)
        return None


def _pump(source: socket.socket, sink: socket.socket) -> None:
    with suppress(OSError):
        while data := source.recv(65536):
            sink.sendall(data)
        sink.shutdown(socket.SHUT_WR)
