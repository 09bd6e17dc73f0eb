"""A station's picture, for everybody who has its address."""

from litestar import Response, get

from parcelwall.errors import Refusal
from parcelwall.hub import site_photos
from parcelwall.hub.house import Hub
from parcelwall.web.render import OF_PICTURES

A_DAY = {**OF_PICTURES, "Cache-Control": "public, max-age=86400"}  # one that was removed is gone a day later everywhere


@get("/photos/{station:str}/{digest:str}", include_in_schema=False)
async def site_photo(station: str, digest: str, hub: Hub) -> Response[bytes]:
    """Raises Refusal for one that the station does not have, or has no longer."""
    found = await site_photos.find(hub, station, digest)
    if found is None:
        raise Refusal("not_found")
    return Response(found[1], media_type=found[0], headers=dict(A_DAY))
