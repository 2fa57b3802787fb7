"""My devices, over HTTP without script."""

from __future__ import annotations

import re

from web_kit import WITHOUT_RIGHTS, Pages, text_of

PATH = "/devices"


def test_only_devices_that_are_online_have_a_button_to_connect(pages: Pages) -> None:
    page = pages.reader(None).get(PATH).text
    devices = pages.host.devices(pages.host.operator()).items
    rows = {row: "Connect" in row for row in re.findall(r"<tr>.*?</tr>", page, re.DOTALL) if "<td" in row}

    assert len(rows) == len(devices) > 0
    assert {text_of(row).partition(" Online")[0].partition(" Offline")[0]: may for row, may in rows.items()} == {
        device.name: device.online for device in devices
    }


def test_the_link_is_asked_for_at_the_click(pages: Pages) -> None:
    reader = pages.reader(None)
    page = reader.get(PATH).text
    online, offline = (
        next(one for one in pages.host.devices(pages.host.operator()).items if one.online is wanted) for wanted in (True, False)
    )
    answer = reader.post(PATH, page, action=f"connect:{online.account}:{online.id}")

    assert answer.headers["Refresh"] == f"0;url={online.connect_link}"
    assert str(online.connect_link) not in page
    assert reader.post(PATH, page, action=f"connect:{offline.account}:{offline.id}").status_code == 409
    assert reader.post(PATH, page, action="connect:teamviewer:unknown").status_code == 404


def test_the_filter_narrows_by_name(pages: Pages) -> None:
    reader, device = pages.reader(None), pages.host.devices(pages.host.operator()).items[0]
    page = reader.get(f"{PATH}?search={device.name.upper()}").text
    assert len(re.findall(r"<tr>\s*<th scope=\"row\"", page)) == 1
    assert "No device has this in its name." in text_of(reader.get(f"{PATH}?search=no-such-device"))


def test_whoever_lacks_the_right_reads_which_one(pages: Pages) -> None:
    answer = pages.reader(WITHOUT_RIGHTS).get(PATH)
    assert answer.status_code == 403
    assert "devices.read" in answer.text
