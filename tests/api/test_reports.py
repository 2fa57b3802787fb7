"""The reports over HTTP: the company's and a record's, as pages and as files, and the devices."""

from __future__ import annotations

import csv
import io
from datetime import UTC, datetime, timedelta

import pytest
from api_kit import CASE, CONFIDENTIAL_CASE, OTHER_USER, USER, Api, problem

from jumpseat import Host
from jumpseat_teamviewer.emulator import Running
from jumpseat_teamviewer.emulator.past import add_past

PAST = 250


@pytest.fixture(scope="module")
def company(shared_api: Api, shared_host: Host, emulator: Running) -> Api:
    """The API of a host that has read the connections of an account with a past, and one of a session of its own."""
    api, host = shared_api, shared_host
    with emulator.state.lock:
        emulator.state.reports.clear()
        emulator.state.cases.clear()
    add_past(emulator.state, PAST, until=datetime.now(UTC) - timedelta(days=1))
    code = api.open()["code"]
    emulator.state.customer_joins(code)
    emulator.state.supporter_joins(code)
    emulator.state.supporter_leaves(code, "Imprimante réparée")
    refreshed = api.post("/v1/connections/refresh")
    assert refreshed.status_code == 201, refreshed.text
    run = host.carry_out_job_run(refreshed.json()["id"], host.operator())
    assert run is not None
    assert (run.state, run.rows) == ("succeeded", PAST + 1), run.reason
    return api


def test_the_company_report_is_paged_by_its_next_link(company: Api) -> None:
    seen, path = [], "/v1/connections?limit=100&order=oldest"
    while path:
        answer = company.get(path).json()
        seen += answer["items"]
        path = answer["nextLink"].partition("8400")[2] if "nextLink" in answer else ""

    assert len({item["id"] for item in seen}) == PAST + 1
    assert [item["start"] for item in seen] == sorted(item["start"] for item in seen)
    newest = seen[-1]
    assert (newest["entityType"], newest["object"], newest["recordId"], newest["notes"]) == ("Case", "Case", CASE, "Imprimante réparée")


def test_the_report_of_a_record_holds_its_own_connections(company: Api) -> None:
    (item,) = company.get(f"/v1/records/Case/{CASE}/connections").json()["items"]

    assert (item["recordId"], item["supporterName"], item["account"]) == (CASE, "Nadia Ferrand", "teamviewer")


def test_a_user_sees_the_report_of_a_record_but_never_the_companys(company: Api) -> None:
    assert len(company.as_(USER).get(f"/v1/records/Case/{CASE}/connections").json()["items"]) == 1
    for path in ("/v1/connections", "/v1/connections?format=csv", "/v1/connections?format=json"):
        assert problem(company.as_(USER).get(path))["code"] == "JS-RIGHT"
    assert problem(company.as_(USER).post("/v1/connections/refresh"))["code"] == "JS-RIGHT"


def test_a_user_does_not_see_the_report_of_a_record_that_is_hidden_from_them(company: Api) -> None:
    assert problem(company.as_(OTHER_USER).get(f"/v1/records/Case/{CONFIDENTIAL_CASE}/connections"))["code"] == "JS-RECORD"


@pytest.mark.parametrize("accept", ["text/csv", "text/csv;q=0.9, text/plain"])
def test_the_company_report_as_csv(company: Api, accept: str) -> None:
    answer = company.get("/v1/connections?order=oldest&header=names", Accept=accept)
    answer.encoding = "utf-8"
    rows = list(csv.DictReader(io.StringIO(answer.text, newline="")))

    assert answer.headers["Content-Type"] == "text/csv; charset=utf-8; header=present"
    assert answer.headers["Content-Disposition"] == 'attachment; filename="connections.csv"'
    assert (len(rows), rows[-1]["notes"], rows[-1]["entityType"]) == (PAST + 1, "Imprimante réparée", "Case")
    assert {row["customerName"] for row in rows} >= {"'=SUM(A1)", "Paul Aubert"}


def test_a_csv_file_for_excel_in_the_supporters_language(company: Api) -> None:
    answer = company.get("/v1/connections?format=csv&bom=true&from=2001-01-01&to=2026-01-01&search=nobody+at+all")

    assert answer.headers["Content-Disposition"] == 'attachment; filename="connections-from-2001-01-01-to-2026-01-01.csv"'
    assert answer.content.decode().startswith(("\ufeffEntity type,Session ID,", "\ufeffType d’entité,ID de session,"))
    assert answer.content.count(b"\r\n") == 1


def test_the_company_report_as_json_holds_what_the_pages_hold(company: Api) -> None:
    whole = company.get("/v1/connections?format=json").json()["items"]
    paged = company.get("/v1/connections?limit=200").json()["items"]

    assert len(whole) == PAST + 1
    assert whole[:200] == paged


def test_search_and_dates_narrow_the_report(company: Api) -> None:
    assert [item["recordId"] for item in company.get("/v1/connections?search=RÉPARÉE&from=2001-01-01").json()["items"][:1]] == [CASE]
    assert company.get("/v1/connections?to=2001-01-01T00:00:00Z").json() == {"items": []}


@pytest.mark.parametrize(
    "query", ["from=yesterday", "to=9999-12-31T23:59:59-14:00", "order=best", "format=xlsx", "search=a%00b", "before=%25"]
)
def test_what_cannot_be_asked_for_is_refused(shared_api: Api, query: str) -> None:
    assert problem(shared_api.get(f"/v1/connections?{query}"))["code"] == "JS-VALUE"


def test_an_export_whose_caller_goes_lets_go_of_its_place(company: Api) -> None:
    for _ in range(6):
        answer = company.http.get(
            f"{company.base}/v1/connections?format=csv",
            headers={"Authorization": f"Bearer {company.key}", "Jumpseat-Supporter": company.supporter or ""},
            stream=True,
            timeout=30,
        )
        assert answer.status_code == 200
        next(answer.iter_content(10))
        answer.close()


def test_a_second_refresh_waits_for_the_first(api: Api) -> None:
    first = api.post("/v1/connections/refresh", Idempotency_Key="a")
    again = api.post("/v1/connections/refresh", Idempotency_Key="a")

    assert (first.status_code, again.json()) == (201, first.json())
    assert problem(api.post("/v1/connections/refresh"))["code"] == "JS-JOB-BUSY"


def test_devices_are_listed_with_links_for_those_who_may_connect(company: Api) -> None:
    found = company.get("/v1/devices").json()

    assert [(item["name"], item["online"], "connectLink" in item) for item in found["items"]] == [
        ("Accueil 2", True, True),
        ("Atelier", False, False),
    ]
    assert found["unlisted"] == []
    assert company.as_(USER).get("/v1/devices").status_code == 200
