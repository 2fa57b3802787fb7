"""The source keeps to what every record source keeps to."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from jumpseat import RecordRef
from jumpseat.testing import RecordSourceContract
from jumpseat_salesforce.source import SalesforceSource


class TestSalesforce(RecordSourceContract):
    known = RecordRef("Case", "500A000000D34xyIAB")
    unknown = RecordRef("Case", "500A000000D34zzIAB")

    @pytest.fixture
    def source(self, make: Callable[..., SalesforceSource]) -> SalesforceSource:
        return make(crm_templates=True)
