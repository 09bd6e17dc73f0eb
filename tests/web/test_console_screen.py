"""What a station's screen is told to say, from its page in the console: form, words, who and when, and the way back."""

from datetime import timedelta
from zoneinfo import ZoneInfo

from web.test_console_roles import AREA, Office, office  # noqa: F401 - a fixture

PAGE, ACT = f"/console/stations/{AREA}", f"/console/stations/{AREA}/screen"


def until(office: Office, hours: float) -> str:  # noqa: F811
    about = office.hub.stations.known[AREA].about
    return (office.hub.clock.now() + timedelta(hours=hours)).astimezone(ZoneInfo(about.zone)).strftime("%Y-%m-%dT%H:%M")


async def test_it_is_said_until_then_and_taken_off(office: Office) -> None:  # noqa: F811
    assert "The yard is shut." not in (await office.browsers["viewer"].get(PAGE)).text
    form = {"text_en": "The yard is shut.", "text_de": "Der Hof ist zu.", "until": until(office, 3)}
    assert (await office.post("technician", ACT, form)).headers["location"].endswith("said=on_screen")
    page = (await office.browsers["viewer"].get(PAGE)).text
    assert "The yard is shut." in page and "Der Hof ist zu." in page and "Take it off" not in page
    assert "Take it off" in (await office.browsers["operator"].get(PAGE)).text
    row = await office.hub.pool.fetchrow("SELECT writer, body::jsonb->>'actor' AS actor FROM entry WHERE kind = $1",
                                         "ScreenNoted")  # fmt: skip
    assert row["writer"].endswith(f"/{AREA}") and row["actor"], "in the station's own stream, and who it was"
    assert (await office.post("operator", ACT, {"do": "off"})).headers["location"].endswith("said=off_screen")
    assert "The yard is shut." not in (await office.browsers["viewer"].get(PAGE)).text
    written = {"station": AREA, "writer": row["writer"]}
    assert "What its screen says besides was changed" in (
        await office.browsers["admin"].get("/console/journal", params=written)
    ).text


async def test_what_does_not_fit_changes_nothing(office: Office) -> None:  # noqa: F811
    good = {"text_en": "Shut.", "until": until(office, 3)}
    past, far = until(office, -1), until(office, 24 * 40)
    for odd in ({"text_en": "x" * 121}, {"text_en": "", "text_de": "Zu."}, {"text_en": "Ask ann@example.org"},
                {"until": "soon"}, {"until": past}, {"until": far}):  # fmt: skip
        assert (await office.post("admin", ACT, good | odd)).headers["location"].endswith("no=bad_field"), odd
    assert await office.hub.pool.fetchval("SELECT count(*) FROM entry WHERE kind = 'ScreenNoted'") == 0
