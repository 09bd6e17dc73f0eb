"""Papers of a permit: sealed, for the operator's own people, and gone when they are deleted."""

from urllib.parse import quote

import httpx
import pytest

from parcelwall.errors import Refusal
from parcelwall.hub import site_papers
from web.test_console_roles import AREA, ELSEWHERE, Office, office  # noqa: F401 - a fixture

PERMIT = b"%PDF-1.7\n1 0 obj << /Author (Aino Virtanen) >> endobj\n%%EOF\n"
PAGE = "/console/sites/papers"
NOTED = "SELECT body FROM entry WHERE kind = 'SiteNoted' ORDER BY number"


async def _send(
    office: Office, who: str, paper: bytes = PERMIT, name: str = "Lupa Åland.pdf", station: str = AREA  # noqa: F811
) -> httpx.Response:
    form = {"slip": office.slips[who], "station": station}
    return await office.browsers[who].post(PAGE, data=form, files={"paper": (name, paper, "text/html")})


async def test_a_paper_is_kept_sealed_fetched_and_deleted(office: Office) -> None:  # noqa: F811
    for _ in range(2):  # the same again is the same one
        assert (await _send(office, "planner")).headers["location"] == f"/console/sites?station={AREA}&said=noted"
    await _send(office, "admin", b"\xff\xd8\xff\xe0 a plan", "plan.jpeg")
    first, second = await site_papers.of(office.hub, AREA)
    assert (first.name, first.size_bytes, second.name) == ("Lupa Åland.pdf", len(PERMIT), "plan.jpg")
    page = (await office.browsers["viewer"].get(f"/console/sites?station={AREA}")).text
    assert "Lupa Åland.pdf" in page and f"{PAGE}/{AREA}/{first.digest}" not in page
    fetched = await office.browsers["operator"].get(f"{PAGE}/{AREA}/{first.digest}")
    assert (fetched.content, fetched.headers["content-type"]) == (PERMIT, "application/pdf")
    assert fetched.headers["content-disposition"] == f"attachment; filename*=UTF-8''{quote(first.name)}"
    assert fetched.headers["cache-control"] == "no-store"
    rows = await office.hub.pool.fetch("SELECT name, sealed FROM site_paper")
    assert all(b"Aino" not in row["sealed"] and b"Lupa" not in row["name"] for row in rows)
    noted = [row["body"] for row in await office.hub.pool.fetch(NOTED)]
    assert len(noted) == 2 and first.digest in noted[1] and "Lupa" not in "".join(noted)

    await office.post("admin", "/console/sites", {"station": AREA, "host": "Ltd"})
    assert office.hub.stations.known[AREA].site.papers == (first.digest, second.digest)  # type: ignore[union-attr]
    await office.post("planner", f"{PAGE}/delete", {"station": AREA, "digest": first.digest})
    assert (await office.browsers["operator"].get(f"{PAGE}/{AREA}/{first.digest}")).status_code == 404
    assert [each.digest for each in await site_papers.of(office.hub, AREA)] == [second.digest]


async def test_nobody_else_has_them(office: Office) -> None:  # noqa: F811
    await _send(office, "admin")
    await _send(office, "admin", station=ELSEWHERE)
    [paper] = await site_papers.of(office.hub, AREA)
    there = f"{PAGE}/{AREA}/{paper.digest}"
    for role, answer in (("viewer", 403), ("technician", 403), ("planner", 200), ("operator", 200), ("no", 303)):
        assert (await office.browsers[role].get(there)).status_code == answer, role
    assert (await office.browsers["operator"].get(f"{PAGE}/{ELSEWHERE}/{paper.digest}")).status_code == 403
    for role in ("viewer", "operator"):
        assert (await _send(office, role)).status_code == 403
        assert (await office.post(role, f"{PAGE}/delete", {"station": AREA, "digest": paper.digest})).status_code == 403
    assert (await _send(office, "planner", station=ELSEWHERE)).status_code == 403


async def test_what_is_no_paper_is_too_much_or_too_large_is_not_kept(office: Office) -> None:  # noqa: F811
    for paper, name in ((b"<script>", "a.pdf"), (b"", "a.pdf"), (PERMIT[:-6], "a.pdf"), (b"PK\x03\x04", "a.docx")):
        assert (await _send(office, "admin", paper, name)).headers["location"].endswith("no=bad_field"), name
    most = PERMIT[:9] + bytes(site_papers.MOST_BYTES - len(PERMIT)) + PERMIT[9:]
    assert (await _send(office, "admin", most + b"\n")).headers["location"].endswith("no=too_large_a_body")
    assert (await _send(office, "admin", most + bytes(200_000))).status_code == 413
    assert (await _send(office, "admin", most)).headers["location"].endswith("said=noted")
    for number in range(site_papers.MOST):
        answer = await _send(office, "admin", PERMIT.replace(b"1 0 obj", b"%d 0 obj" % (number + 2)))
    assert answer.headers["location"].endswith("no=too_large_a_body")
    assert len(await site_papers.of(office.hub, AREA)) == site_papers.MOST


@pytest.mark.parametrize(("given", "kept"), [
    ("../../etc/passwd", "passwd.pdf"), ("C:\\papers\\Lupa.PDF", "Lupa.pdf"), ("lupa.html", "lupa.html.pdf"),
    ("a\r\nb\u202efdp.exe", "abfdp.exe.pdf"), ("", "paper.pdf"), (".pdf", "paper.pdf"), ("x" * 300, "x" * 80 + ".pdf"),
])  # fmt: skip
def test_a_name_is_a_name_and_ends_as_what_it_is(given: str, kept: str) -> None:
    assert site_papers.file_name(given, PERMIT) == kept
    with pytest.raises(Refusal):
        site_papers.file_name(given, b"GIF89a")
