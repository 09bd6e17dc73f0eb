"""The channels that a hub's settings name: what is said there of telephone numbers is what the messenger goes by."""

from pathlib import Path

import pytest

from hub.letters import PUBLIC
from notices.test_text_message import gateway
from parcelwall.clock import VirtualClock
from parcelwall.errors import Trouble
from parcelwall.hub.people import Person
from parcelwall.hub.running import channels
from parcelwall.notices.failures import Undeliverable
from parcelwall.notices.messages import NoticeFacts, compose
from parcelwall.settings import HubSettings
from station.towns import NOW

MESSAGE = compose("gone_back", "en", NoticeFacts(station="Kallio", zone="UTC", link=f"{PUBLIC}/p/x", public_url=PUBLIC))


@pytest.mark.parametrize(
    ("settings", "phone", "outcome"),
    [
        ({}, "040 1234567", "number_unreadable"), ({"sms_home": "+358"}, "040 1234567", "358401234567"),
        ({}, "+351 912 345 678", "351912345678"), ({}, "+44 7400 123456", "number_not_allowed"),
        ({"sms_allowed": "+447, +3584"}, "+44 7400 123456", "447400123456"),
        ({"sms_allowed": "+447"}, "+358401234567", "number_not_allowed"),
    ],
)  # fmt: skip
async def test_numbers_are_read_and_allowed_as_the_settings_say(
    tmp_path: Path, settings: dict[str, str], phone: str, outcome: str
) -> None:
    async with gateway(200) as there:
        url = f"json://127.0.0.1:{there.port}/sms/{{phone}}"
        told = HubSettings(data_dir=tmp_path, sms_url=url, **settings)
        async with channels(told, VirtualClock(NOW)) as found:
            if outcome.isdigit():
                await found["sms"].hand_over(Person(phone=phone), MESSAGE, "<1@x>")
                assert outcome in str(there.got)
            else:
                with pytest.raises(Undeliverable, match=outcome):
                    await found["sms"].hand_over(Person(phone=phone), MESSAGE, "<1@x>")


@pytest.mark.parametrize("odd", [{"sms_home": "358"}, {"sms_home": "Finland"}, {"sms_allowed": "+3584;+35850"}])
async def test_settings_that_no_number_fits_are_told_at_the_start(tmp_path: Path, odd: dict[str, str]) -> None:
    told = HubSettings(data_dir=tmp_path, sms_url="json://127.0.0.1:9/sms/{phone}", **odd)
    with pytest.raises(Trouble, match=next(iter(odd))):
        async with channels(told, VirtualClock(NOW)):
            pass
