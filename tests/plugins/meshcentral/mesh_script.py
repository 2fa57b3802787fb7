"""A server that speaks MeshCentral's side of the control socket, over TLS on loopback, and does wrong what a test wants it to.

Written from how the real one answers; ``test_mesh_job`` runs the plugin against that one.
"""

from __future__ import annotations

import base64
import http
import ipaddress
import json
import logging
import ssl
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from websockets.datastructures import Headers
from websockets.exceptions import ConnectionClosed
from websockets.http11 import Request, Response
from websockets.sync.server import ServerConnection, serve

from jumpseat.testing.fakes import NOW

SILENT = logging.Logger("mesh-script", logging.CRITICAL)
"""It would log the headers that it gets."""
USER, PASSWORD = "~t:AbCdEfGhIjKlMnOp", "pQrStUvWxYz0123456789"
ACCOUNT, ACCOUNT_PASSWORD = "crmsvc", "thePasswordOfTheAccount"


@dataclass
class Scripted:
    """What the server knows, what it was asked, and what it does wrong."""

    port: int = 0
    ca_file: str = ""
    groups: dict[str, dict[str, Any]] = field(default_factory=dict)
    nodes: dict[str, dict[str, Any]] = field(default_factory=dict)
    shares: dict[str, dict[str, Any]] = field(default_factory=dict)
    events: list[dict[str, Any]] = field(default_factory=list)
    """Newest first."""
    asked: list[dict[str, Any]] = field(default_factory=list)
    signed_in: int = 0
    now: datetime = NOW
    """What the server's clock says."""
    deaf: set[str] = field(default_factory=set)
    """Calls that are done and not answered."""
    hangs_up: set[str] = field(default_factory=set)
    """Calls after which the connection is cut, with nothing done."""
    refuses: dict[str, str] = field(default_factory=dict)
    stubborn: bool = False
    """Programs of customers do not stop when told."""
    headstrong: bool = False
    """Groups keep the consent that they have."""
    redirect: str = ""
    status: int = 0
    """Answer the handshake with it."""

    @property
    def url(self) -> str:
        return f"https://127.0.0.1:{self.port}"

    @property
    def actions(self) -> list[str]:
        return [call["action"] for call in self.asked]

    def said(self, action: str) -> dict[str, Any]:
        """What was said in the last call of this action."""
        return next(call for call in reversed(self.asked) if call["action"] == action)

    def customer_comes(self, group: str, name: str = "customers-pc", *, kind: int = 6, since: int = 1) -> str:
        """The customer's program connects."""
        id = f"node//{len(self.nodes):064d}"
        agent = {"id": kind, "ver": 0, "caps": 31}
        self.nodes[id] = {"_id": id, "meshid": group, "name": name, "conn": 1, "agct": since, "agent": agent}
        return id

    def looked(self, node: str, guest: str, began: datetime, seconds: int, relay: str = "r1") -> None:
        """Somebody looked at a desktop, for so long."""
        self.log(15, node, guest, began, [relay, "10.0.0.1", "10.0.0.2"])
        self.log(11, node, guest, began + timedelta(seconds=seconds), [relay, "10.0.0.1", "10.0.0.2", seconds])

    def log(self, kind: int, node: str, guest: str, at: datetime, about: list[Any]) -> None:
        """One entry of the relays' log."""
        time_of = at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.000Z")
        entry = {"etype": "relay", "action": "relaylog", "msgid": kind, "msgArgs": about, "nodeid": node, "time": time_of}
        self.events.insert(0, entry | {"guestname": guest, "username": "crmsvc", "userid": "user//crmsvc"})

    # --- the other side of the socket ---------------------------------------------------------------------------------

    def handle(self, socket: ServerConnection) -> None:
        """One connection."""
        assert socket.request is not None
        if not self._knows(socket.request.headers):
            socket.send(json.dumps({"action": "close", "cause": "noauth", "msg": "noauth-2d"}))
            return
        self.signed_in += 1
        socket.send(
            json.dumps({"action": "serverinfo", "serverinfo": {"name": "127.0.0.1", "serverTime": round(self.now.timestamp() * 1000)}})
        )
        socket.send(json.dumps({"action": "userinfo", "userinfo": {"_id": "user//crmsvc", "name": "crmsvc"}}))
        with suppress(ConnectionClosed):
            for text in socket:
                self._answer(socket, json.loads(text))

    def before(self, socket: ServerConnection, request: Request) -> Response | None:
        """What is answered without a socket."""
        if self.redirect:
            return Response(302, "Found", Headers({"Location": self.redirect}))
        if self.status:
            return socket.respond(http.HTTPStatus(self.status), "no")
        if request.path == "/health.ashx":
            return socket.respond(http.HTTPStatus.OK, "ok")
        return None if request.path == "/control.ashx" else socket.respond(http.HTTPStatus.NOT_FOUND, "no")

    def _knows(self, headers: Headers) -> bool:
        parts = [base64.b64decode(part).decode() for part in headers.get("x-meshauth", "").split(",")]
        return parts in ([USER, PASSWORD], [ACCOUNT, ACCOUNT_PASSWORD])

    def _answer(self, socket: ServerConnection, call: dict[str, Any]) -> None:
        self.asked.append(call)
        action = call["action"]
        if action in self.hangs_up:
            socket.close()
            return
        refused = self.refuses.get(action)
        answers = [{"result": refused}] if refused else getattr(self, f"_{action}")(call)
        if action in self.deaf:
            return
        for answer in answers:
            self._send(socket, call, answer)

    def _send(self, socket: ServerConnection, call: Mapping[str, Any], answer: dict[str, Any]) -> None:
        action = call["action"]
        marks = {"tag": call.get("tag")} if action in {"meshes", "events"} else {"responseid": call.get("responseid")}
        if action == "deviceMeshShares":
            marks = {}
        socket.send(json.dumps({"action": action, **marks, **answer}))

    def _meshes(self, call: Mapping[str, Any]) -> list[dict[str, Any]]:
        return [{"meshes": list(self.groups.values())}]

    def _nodes(self, call: Mapping[str, Any]) -> list[dict[str, Any]]:
        group = call.get("meshid")
        if group is not None and group not in self.groups:
            return [{"result": "Invalid group id"}]
        wanted = [node for node in self.nodes.values() if group in (None, node["meshid"])]
        return [{"nodes": {id: [node for node in wanted if node["meshid"] == id] for id in {node["meshid"] for node in wanted}}}]

    def _createmesh(self, call: Mapping[str, Any]) -> list[dict[str, Any]]:
        id = f"mesh//{len(self.groups):064d}"
        self.groups[id] = {"_id": id, "name": call["meshname"], **{key: call[key] for key in ("desc", "flags", "consent")}}
        return [{"result": "ok", "meshid": id}]

    def _editmesh(self, call: Mapping[str, Any]) -> list[dict[str, Any]]:
        if not self.headstrong:
            self.groups[call["meshid"]]["consent"] = call["consent"]
        return [{"result": "ok"}]

    def _createInviteLink(self, call: Mapping[str, Any]) -> list[dict[str, Any]]:
        return [{"url": f"{self.url}/agentinvite?c=@invite${len(self.asked)}", "expire": call["expire"]}]

    def _createDeviceShareLink(self, call: Mapping[str, Any]) -> list[dict[str, Any]]:
        if call["nodeid"] not in self.nodes:
            return [{"action": "deviceShares", "result": "Invalid node id"}]
        id = f"share{len(self.asked)}"
        self.shares[id] = {"publicid": id, "nodeid": call["nodeid"]}
        return [{**call, "result": "OK", "publicid": id, "url": f"{self.url}/sharing?c=share@{len(self.asked)}$secretcookie"}]

    def _deviceMeshShares(self, call: Mapping[str, Any]) -> list[dict[str, Any]]:
        within = [share for share in self.shares.values() if self.nodes.get(share["nodeid"], {}).get("meshid") == call["meshid"]]
        return [{"meshid": call["meshid"], "deviceShares": within}]

    def _removeDeviceShare(self, call: Mapping[str, Any]) -> list[dict[str, Any]]:
        removed = self.shares.pop(call["publicid"], None)
        return [{"removed": removed}, {"result": "OK"}]

    def _runcommands(self, call: Mapping[str, Any]) -> list[dict[str, Any]]:
        if self.stubborn:
            return []
        for node in call["nodeids"]:
            self.nodes.pop(node, None)
        return [{"action": "event", "event": {"action": "removenode", "nodeid": node}} for node in call["nodeids"]]

    def _deletemesh(self, call: Mapping[str, Any]) -> list[dict[str, Any]]:
        gone = self.groups.pop(call["meshid"], None)
        return [{"result": "ok" if gone else "Unknown device group"}]

    def _createLoginToken(self, call: Mapping[str, Any]) -> list[dict[str, Any]]:
        return [{"tokenUser": USER, "tokenPass": PASSWORD, "name": call["name"]}]

    def _events(self, call: Mapping[str, Any]) -> list[dict[str, Any]]:
        return [{"events": self.events[: call["limit"]]}]


@contextmanager
def running(folder: Path) -> Iterator[Scripted]:
    """The server, on a free port, with a certificate of an authority that nobody else trusts."""
    script = Scripted(ca_file=str(folder / "ca.pem"))
    with serve(script.handle, "127.0.0.1", 0, ssl=_tls(folder), process_request=script.before, logger=SILENT) as server:
        script.port = server.socket.getsockname()[1]
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield script
        server.shutdown()
    thread.join()


def _tls(folder: Path) -> ssl.SSLContext:
    authority, key = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP256R1())
    issuer, subject = _name("Test authority"), _name("127.0.0.1")
    address = x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))])
    ca = _certificate(issuer, issuer, authority).add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
    own = _certificate(subject, issuer, key).add_extension(address, critical=False)
    (folder / "ca.pem").write_bytes(ca.sign(authority, hashes.SHA256()).public_bytes(serialization.Encoding.PEM))
    private = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    (folder / "server.pem").write_bytes(private + own.sign(authority, hashes.SHA256()).public_bytes(serialization.Encoding.PEM))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / "server.pem")
    return context


def _name(common: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common)])


def _certificate(subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePrivateKey) -> x509.CertificateBuilder:
    today = datetime.now(UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(today - timedelta(days=1))
        .not_valid_after(today + timedelta(days=1))
    )
