"""Administrators are told of an incident once, however often it comes up until it is over."""

from __future__ import annotations

import threading
from dataclasses import replace
from datetime import timedelta

from notice_desk import Desk

from jumpseat.catalogue.model import HostSettings
from jumpseat.notices.telling import TOO_LATE
from jumpseat.store import Store, alerts, retention
from jumpseat.types import Outcome

KEY = "job:company_report"
TITLE = "The job company_report failed"
TEXT = "The provider cannot be reached. Look at 'jumpseat jobs list'."


def listed(desk: Desk, **options) -> list[alerts.Alert]:
    with desk.store.read() as conn:
        return list(alerts.listed(conn, **options))


def test_every_administrator_is_mailed_once_per_incident(desk: Desk) -> None:
    for _ in range(4):
        desk.alerts.raise_alert(KEY, TITLE, TEXT)
        desk.clock.move(minutes=1)
        desk.telling.mail()

    assert [mail.address for mail in desk.mail.sent] == ["admin@example.test", "root@example.test"]
    first = desk.mail.sent[0]
    assert first.subject == "[Jumpseat Exemple SARL] The job company_report failed"
    assert first.text == (
        "The provider cannot be reached. Look at 'jumpseat jobs list'.\n\n"
        "The host tells this once for as long as it lasts (incident 'job:company_report'); "
        "'jumpseat alerts list' shows how often it came up.\n"
    )
    [alert] = listed(desk)
    assert (alert.count, alert.last_at - alert.opened_at, alert.closed_at) == (4, timedelta(minutes=3), None)
    assert alert.mailed_at == alert.opened_at + timedelta(minutes=1)


def test_an_incident_that_was_over_is_a_new_one_when_it_comes_up_again(desk: Desk) -> None:
    desk.alerts.raise_alert(KEY, TITLE, TEXT)
    desk.alerts.clear(KEY)
    desk.alerts.clear(KEY)
    desk.clock.move(minutes=1)
    desk.alerts.raise_alert(KEY, TITLE, TEXT)
    desk.telling.mail()

    assert len(desk.mail.sent) == 4
    assert [(alert.count, alert.closed_at is None) for alert in listed(desk)] == [(1, True), (1, False)]
    assert len(listed(desk, open_only=True)) == 1


def test_incidents_of_other_keys_are_their_own(desk: Desk) -> None:
    desk.alerts.raise_alert(KEY, TITLE, TEXT)
    desk.clock.move(seconds=1)
    desk.alerts.raise_alert("cap:sms", "A cap", "Text")
    desk.alerts.clear("cap:sms")

    assert [(alert.key, alert.closed_at is None) for alert in listed(desk)] == [("cap:sms", False), (KEY, True)]


def test_one_incident_is_opened_when_many_raise_it_at_once(both_desk: Desk, open_store) -> None:
    desk = both_desk
    stores: list[Store] = [open_store() for _ in range(3)]

    def raise_it(store: Store) -> None:
        for _ in range(5):
            replace(desk.alerts, store=store).raise_alert(KEY, TITLE, TEXT)

    threads = [threading.Thread(target=raise_it, args=(store,)) for store in stores]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    desk.telling.mail()

    assert [alert.count for alert in listed(desk)] == [15]
    assert len(desk.mail.sent) == 2


def test_the_newest_text_is_kept_and_a_title_is_one_line(desk: Desk) -> None:
    desk.alerts.raise_alert(KEY, "Failed\r\nBcc: all@example.test", "first")
    desk.alerts.raise_alert(KEY, "x" * 300, "second")

    [alert] = listed(desk)
    assert (alert.title, alert.text) == ("x" * 200, "second")
    assert {row.subject for row in desk.rows()} == {"[Jumpseat Exemple SARL] Failed Bcc: all@example.test"}


def test_without_administrators_the_incident_is_only_listed(desk: Desk) -> None:
    desk.catalogue = replace(desk.catalogue, host=HostSettings())
    desk.alerts.raise_alert(KEY, TITLE, TEXT)
    desk.telling.mail()

    assert (len(listed(desk)), desk.mail.sent, listed(desk)[0].mailed_at) == (1, [], None)


def test_the_mail_waits_until_mail_is_set_up_and_is_given_up_after_three_days(desk: Desk) -> None:
    desk.mail.unset = "E-mail is not set up."
    desk.alerts.raise_alert(KEY, TITLE, TEXT)
    desk.telling.mail()
    desk.clock.move(days=2)
    desk.telling.mail()
    assert {(row.state, row.reason) for row in desk.rows()} <= {("waiting", "E-mail is not set up."), ("waiting", "")}

    desk.clock.move(days=1)
    desk.telling.mail()
    desk.clock.move(days=1)
    desk.telling.mail()
    assert [(row.state, row.reason) for row in desk.rows()] == [("late", TOO_LATE)] * 2
    assert listed(desk)[0].mailed_at is None


def test_a_mail_that_fails_is_sent_later(desk: Desk) -> None:
    desk.mail.plan = [Outcome.failed("greylisted", retry=True)]
    desk.alerts.raise_alert(KEY, TITLE, TEXT)
    for _ in range(3):
        desk.telling.mail()
        desk.clock.move(seconds=5)

    assert sorted(mail.address for mail in desk.mail.sent) == ["admin@example.test", "root@example.test"]
    assert len(desk.mail.tries) == 3


def test_a_database_that_is_away_ends_no_call(desk: Desk, tmp_path) -> None:
    broken = Store.open(tmp_path / "other.db")
    with broken.engine.begin() as conn:
        conn.exec_driver_sql("DROP TABLE alerts")
    away = replace(desk.alerts, store=broken)

    away.raise_alert(KEY, TITLE, TEXT)
    away.clear(KEY)
    broken.close()


def test_lists_go_on_where_the_page_before_ended_and_old_ones_are_dropped(both_desk: Desk) -> None:
    desk = both_desk
    for number in range(5):
        desk.alerts.raise_alert(f"key-{number}", TITLE, TEXT)
        desk.clock.move(seconds=number % 2)  # pairs with the same time
    everything = listed(desk)
    pages = listed(desk, limit=2)
    while more := listed(desk, limit=2, before=pages[-1].id):
        pages += more
    assert pages == everything

    desk.alerts.clear("key-1")
    desk.clock.move(days=366)
    with desk.store.write() as conn:
        assert retention.drop_alerts(conn, desk.clock.now(), 10) == 1
    assert len(listed(desk)) == 4
