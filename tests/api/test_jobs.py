"""Jobs over the API: list, run now, cancel, try again."""

from __future__ import annotations

from api_kit import ADMINISTRATOR, Api, problem


def test_jobs_are_listed_with_their_schedules(api: Api) -> None:
    items = api.get("/v1/jobs").json()["items"]

    assert [(item["name"], item["schedule"], item["enabled"], item["retries"]) for item in items] == [
        ("company_report", "every 24 hours", True, 5),
        ("reconciliation", "every hour", True, 5),
        ("retention", "every 24 hours", True, 5),
        ("token_refresh", "every hour", True, 5),
    ]
    assert all(item["nextAt"].endswith("Z") for item in items)
    assert not any("lastRun" in item or "activeRun" in item for item in items)


def test_a_job_is_run_once_per_idempotency_key(api: Api) -> None:
    first = api.post("/v1/jobs/retention/runs", Idempotency_Key="a")
    again = api.post("/v1/jobs/retention/runs", Idempotency_Key="a")

    assert first.status_code == again.status_code == 201
    run = first.json()
    assert run == again.json()
    assert (run["job"], run["state"], run["cause"], run["rows"], run["askedBy"]) == ("retention", "waiting", "hand", 0, ADMINISTRATOR)
    assert [item["id"] for item in api.get("/v1/jobs/retention/runs").json()["items"]] == [run["id"]]


def test_a_job_that_waits_already_is_refused_with_its_run(api: Api) -> None:
    run = api.post("/v1/jobs/retention/runs").json()

    assert problem(api.post("/v1/jobs/retention/runs")) == {
        "code": "JS-JOB-BUSY",
        "title": "The job is busy",
        "detail": f"The job 'retention' has a run already: {run['id']} waits. Wait for its end, or cancel it first.",
        "status": 409,
        "param": "job",
    }


def test_a_run_that_waits_is_cancelled_at_once_and_can_be_tried_again(api: Api) -> None:
    run = api.post("/v1/jobs/retention/runs").json()

    cancelled = api.post(f"/v1/job-runs/{run['id']}/cancel").json()
    again = api.post(f"/v1/job-runs/{run['id']}/retry")

    assert (cancelled["state"], cancelled["reason"]) == ("cancelled", "Cancelled by Claire Fontaine.")
    assert again.status_code == 201
    assert (again.json()["cause"], again.json()["retryOf"], again.json()["state"]) == ("retry", run["id"], "waiting")


def test_a_run_that_is_over_cannot_be_cancelled(api: Api) -> None:
    run = api.post("/v1/jobs/retention/runs").json()
    api.post(f"/v1/job-runs/{run['id']}/cancel")

    answer = problem(api.post(f"/v1/job-runs/{run['id']}/cancel"))

    assert answer["code"] == "JS-JOB-BUSY"
    assert answer["detail"] == f"The run {run['id']} of the job 'retention' cannot be cancelled: it was cancelled."


def test_runs_are_paged_newest_first(api: Api) -> None:
    for _ in range(3):
        api.post(f"/v1/job-runs/{api.post('/v1/jobs/retention/runs').json()['id']}/cancel")

    first = api.get("/v1/jobs/retention/runs?limit=2").json()
    second = api.get(f"/v1/jobs/retention/runs?{first['nextLink'].partition('?')[2]}").json()

    times = [item["createdAt"] for item in first["items"] + second["items"]]
    assert len(times) == 3
    assert times == sorted(times, reverse=True)
    assert "nextLink" not in second


def test_an_unknown_job_is_named_with_those_there_are(api: Api) -> None:
    assert problem(api.get("/v1/jobs/backup/runs"))["detail"] == (
        "There is no job 'backup'. Known: company_report, reconciliation, retention, token_refresh."
    )


def test_a_cursor_of_another_list_is_refused(api: Api) -> None:
    assert problem(api.get("/v1/jobs/retention/runs?before=xyz"))["code"] == "JS-VALUE"
