"""Who acts: users whom a CRM knows, users whom none knows, and CRMs that cannot tell."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import pytest

from jumpseat import Contact, ContactRule, Host, ObjectInfo, Record, RecordRef, RecordSource, hookimpl
from jumpseat.errors import NotSignedIn

OF_SANDBOX, WITHOUT_PERMISSIONS = "005A000000Jmu02IAB", "005A000000Jmu04IAB"
OF_SECOND = "50000000-0000-4000-8000-000000000002"
Rewrite = Callable[..., None]


class WithoutUsers(RecordSource):
    """A CRM whose users cannot be looked up."""

    name, label = "without_users", "Without users"

    def describe(self, object: str) -> ObjectInfo | None:
        return None

    def get(self, ref: RecordRef, fields: Sequence[str]) -> Mapping[str, Any]:
        return {}

    def contacts(self, record: Record, rule: ContactRule) -> Sequence[Contact]:
        return ()


class WithoutUsersPlugin:
    @hookimpl
    def register_record_sources(self) -> list[type[RecordSource]]:
        return [WithoutUsers]


@pytest.mark.parametrize("id", ["005A000000Jmu99", "nobody"])
def test_somebody_whom_the_crm_does_not_know_gets_not_even_the_rights_of_everyone(
    open_sqlite_host: Callable[..., Host], rewrite: Rewrite, id: str
) -> None:
    rewrite("permission_sets/user.yaml", assigned_to={"everyone": True, "supporters": [id]})
    host = open_sqlite_host()

    with pytest.raises(NotSignedIn, match=rf"The CRM has no user '{id}', or does not show them \(record source 'sandbox'\)\."):
        host.supporter(id)
    with pytest.raises(NotSignedIn):
        host.explain_access(id, "open_session")
    assert host.supporter(WITHOUT_PERMISSIONS).permission_sets == ("user",)


def test_a_key_cannot_act_for_somebody_whom_the_crm_does_not_know(open_sqlite_host: Callable[..., Host]) -> None:
    host = open_sqlite_host()
    key = host.create_key("crm", "administrator", host.operator())

    with pytest.raises(NotSignedIn):
        host.key_supporter(key, "005A000000Jmu99")
    assert host.key_supporter(key, OF_SANDBOX).id == OF_SANDBOX


def test_a_user_of_another_crm_than_the_default_one_is_found_there(open_sqlite_host: Callable[..., Host], rewrite: Rewrite) -> None:
    rewrite("sources/second.yaml", name="second", kind="sandbox", label="Second", settings={"flavour": "dynamics"})
    rewrite("host.yaml", default_source="sandbox")
    host = open_sqlite_host()

    assert (host.supporter(OF_SECOND).source, host.supporter(OF_SANDBOX).source) == ("second", "sandbox")
    with pytest.raises(NotSignedIn, match=r"\(record sources 'sandbox', 'second'\)"):
        host.supporter("50000000-0000-4000-8000-000000000099")
    with pytest.raises(NotSignedIn):
        host.supporter(OF_SECOND, "sandbox")


def test_a_crm_that_cannot_look_users_up_leaves_them_the_rights_of_everyone(
    open_sqlite_host: Callable[..., Host], rewrite: Rewrite
) -> None:
    rewrite("sources/sandbox.yaml", kind="without_users", settings={})
    rewrite("permission_sets/user.yaml", assigned_to={"everyone": True})

    assert open_sqlite_host(plugins=[WithoutUsersPlugin()]).supporter("u-1").permission_sets == ("user",)
