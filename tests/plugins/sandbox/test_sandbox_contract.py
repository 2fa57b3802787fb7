"""The sample CRM keeps to the contract of record sources, in both flavours."""

from __future__ import annotations

import pytest

from jumpseat import ContactRule, RecordRef
from jumpseat.testing import RecordSourceContract
from jumpseat_sandbox.source import SandboxSource


class TestSalesforceFlavour(RecordSourceContract):
    known = RecordRef("Case", "500A000000D34xy")
    unknown = RecordRef("Case", "500A000000D99zz")

    @pytest.fixture
    def source(self):
        return SandboxSource()


class TestDynamicsFlavour(RecordSourceContract):
    config = {"flavour": "dynamics"}
    known = RecordRef("incident", "1c1de000-0000-4000-8000-000000000001")
    unknown = RecordRef("incident", "1c1de000-0000-4000-8000-0000000000ff")
    name_field = "title"
    rule = ContactRule("account_primary", "customerid")

    @pytest.fixture
    def source(self):
        return SandboxSource()
