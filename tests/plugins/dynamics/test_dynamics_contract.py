"""The source keeps to the contract of record sources, against an environment over real HTTP."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from jumpseat import ContactRule, RecordRef
from jumpseat.testing import RecordSourceContract
from jumpseat_dynamics.source import DynamicsSource


class TestDynamicsSource(RecordSourceContract):
    known = RecordRef("incident", "1c1de000-0000-4000-8000-000000000001")
    unknown = RecordRef("incident", "1c1de000-0000-4000-8000-000000000999")
    name_field = "title"
    rule = ContactRule("lookup", "primarycontactid")

    @pytest.fixture
    def source(self, connect: Callable[..., Any]) -> DynamicsSource:
        found: DynamicsSource = connect(crm_templates=True)
        return found
