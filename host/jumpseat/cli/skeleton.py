"""The files of a new plugin package, as ``jumpseat plugins new`` writes them."""

from __future__ import annotations

from collections.abc import Mapping
from string import Template

import jumpseat

_FILES: Mapping[str, str] = {
    "pyproject.toml": """\
[build-system]
requires = ["hatchling"]
build-backend = "hatchling.build"

[project]
name = "jumpseat-$dashed"
version = "0.1.0"
description = "$label for Jumpseat"
requires-python = ">=3.11"
dependencies = ["jumpseat>=$version"]

[project.entry-points.jumpseat]
$name = "jumpseat_$name"

[tool.hatch.build.targets.wheel]
packages = ["jumpseat_$name"]

[tool.pytest.ini_options]
testpaths = ["tests"]
""",
    "README.md": """\
# jumpseat-$dashed

Sends the customer link through $label.

Install it beside Jumpseat, then write `metadata/plugins/$name.yaml`:

```yaml
plugin: $name
settings:
  gateway_url: https://gateway.example.com/messages
  token: {env: ${upper}_TOKEN}
```

and a template in `templates/$name/`. `jumpseat plugins show $name` tells whether it is active.
""",
    "jumpseat_$name/__init__.py": '''\
"""$label for Jumpseat."""

from jumpseat import REQUIRED, Message, Outcome, Setting, ShareChannel, hookimpl


class $class_name(ShareChannel):
    """Posts the text of a share to a gateway."""

    name, label, address_kind = "$name", "$label", "phone"
    honours_key = True
    settings = (
        Setting("gateway_url", str, default=REQUIRED, help="Where messages are posted."),
        Setting("token", str, secret=True, help="What the gateway knows us by."),
    )

    def send(self, message: Message) -> Outcome:
        """Post the message once; the host tries again where that is safe."""
        headers = {"Authorization": f"Bearer {self.config.token.reveal()}"} if self.config.token else {}
        body = {"to": message.address, "text": message.text}
        answer = self.http.post(self.config.gateway_url, json=body, headers=headers, key=message.key)
        if answer.ok:
            return Outcome.sent(str(answer.json()["id"]))
        return Outcome.failed(f"The gateway answered {answer.status_code}.", retry=answer.status_code >= 500)


@hookimpl
def register_share_channels():
    """Called once, when the host starts."""
    return [$class_name()]
''',
    "tests/conftest.py": '''\
"""The kit's fixtures, and a gateway that takes everything."""

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

pytest_plugins = ["jumpseat.testing"]


class Gateway(BaseHTTPRequestHandler):
    """Keeps one message per idempotency key."""

    def do_POST(self):
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.server.messages.setdefault(self.headers["Idempotency-Key"], body)
        answer = json.dumps({"id": "m-1"}).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)

    def log_message(self, *args):
        pass


@pytest.fixture
def gateway():
    server = ThreadingHTTPServer(("127.0.0.1", 0), Gateway)
    server.messages = {}
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield server
    server.shutdown()
    server.server_close()
''',
    "tests/test_$name.py": """\
import jumpseat_$name
import pytest
from jumpseat import ShareWish
from jumpseat.testing import ShareChannelContract, lend


class Test$class_name(ShareChannelContract):
    address = "+33612345678"

    @pytest.fixture
    def channel(self, gateway, tmp_path):
        self.gateway = gateway
        channel = jumpseat_$name.$class_name()
        lend(channel, tmp_path, gateway_url=f"http://127.0.0.1:{gateway.server_port}/messages")
        return channel

    @pytest.fixture
    def failing(self, tmp_path):
        channel = jumpseat_$name.$class_name()
        lend(channel, tmp_path, gateway_url="http://127.0.0.1:1/messages")
        return channel

    def gateway_messages(self, channel):
        return len(self.gateway.messages)


@pytest.fixture
def plugins():
    return [jumpseat_$name]


@pytest.fixture
def plugin_settings(gateway):
    return {"$name": {"gateway_url": f"http://127.0.0.1:{gateway.server_port}/messages"}}


@pytest.fixture
def workspace(workspace):
    template = workspace / "templates" / "$name" / "default.en.txt"
    template.parent.mkdir()
    template.write_text("---\\nname: default\\n---\\nJoin us: {{ session.customer_link }}\\n")
    return workspace


def test_the_customer_link_reaches_the_gateway(host, case, supporter, gateway):
    session = host.open_session(case, "recording", supporter)
    (share,) = host.share(session.id, [ShareWish("$name")], supporter)

    host.deliver(share.id)

    (message,) = gateway.messages.values()
    assert message == {"to": "+33612345678", "text": f"Join us: {session.customer_link}"}
""",
}


def files(name: str) -> Mapping[str, str]:
    """The files of a package that brings a share channel, by path.

    Args:
        name: the plugin's name: small letters, digits and ``_``.
    """
    words = name.replace("_", " ").strip()
    values = {
        "name": name,
        "dashed": name.replace("_", "-"),
        "label": words.capitalize(),
        "class_name": "".join(part.capitalize() for part in words.split()),
        "upper": name.upper(),
        "version": jumpseat.__version__,
    }
    return {Template(path).substitute(values): Template(text).substitute(values) for path, text in _FILES.items()}
