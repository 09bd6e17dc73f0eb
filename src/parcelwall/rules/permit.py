"""Whether a station stands where it does by leave, on a given day."""

from datetime import date

from parcelwall.rules.facts_office import SiteNoted


def permits(site: SiteNoted | None, today: date, asked: bool) -> bool:
    """Whether new room may be promised at a station today, in its own zone, as far as its permit goes; both days of a
    permit count. `asked`: the operator's policy asks for one, so that nothing on paper is a no."""
    if site is None or not (site.permit or site.valid_from or site.valid_until):
        return not asked
    begun = site.valid_from is None or site.valid_from <= today
    return begun and (site.valid_until is None or today <= site.valid_until)
