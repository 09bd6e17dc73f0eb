"""What senders see on the home screen while nothing can be put in; collecting goes on."""

import re

from parcelwall.web.kiosk_picture import picture
from parcelwall.web.reader import renderer
from station.rig import Rig


def page(rig: Rig) -> str:
    drawer = renderer()
    return drawer.fragment(picture(rig.station, drawer))


def is_greyed(html: str) -> bool:
    """Whether the button to send is off, and points to the reason."""
    button = re.search(r'name="name" value="send">.*?<button([^>]*)>', html, re.DOTALL)
    assert button
    return "disabled" in button[1] and 'aria-describedby="why"' in button[1] and 'id="why"' in html


async def test_a_full_station_says_so_on_the_button_and_still_gives_out(rig: Rig) -> None:
    assert not is_greyed(page(rig))
    heights = {"S": 60, "M": 150, "L": 300}
    parcels = [
        await rig.inside(f"PW-{number}", size=each.size, height_mm=heights[each.size])
        for number, each in enumerate(rig.layout.compartments)
    ]
    rig.station.kiosk.home()
    assert is_greyed(page(rig)) and "Full now." in page(rig)
    rig.now.advance(60)
    assert (await rig.station.kiosk.type_code(rig.code(parcels[0]))).screen == "open"
    await rig.shut(rig.station.kiosk.showing.door or 0)
    rig.station.kiosk.home()
    assert not is_greyed(page(rig))


async def test_a_station_whose_battery_is_low_takes_nothing_in_and_says_why(rig: Rig) -> None:
    rig.desk.on_battery = rig.desk.online = True
    assert not is_greyed(page(rig)) and "Saving power. Collecting works." in page(rig)
    rig.desk.battery_is_low = True
    assert is_greyed(page(rig)) and "Nothing can be put in now. Collecting works." in page(rig)
    rig.desk.online = False
    both = page(rig)
    assert "Works on its own now." in both and "Nothing can be put in now.<" in both
