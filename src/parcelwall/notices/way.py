"""How people get to a station, in sentences: on its page and in the notice that a parcel is there."""

from parcelwall.notices.language import N_, Words
from parcelwall.rules.facts import SiteNoted

_STEPS = {True: N_("You get there without steps."), False: N_("There are steps on the way.")}
_LIT = {True: N_("It is lit at night."), False: N_("It is not lit at night.")}
_KERB = {
    "none": N_("There is no kerb before it."), "lowered": N_("The kerb before it is lowered."),
    "raised": N_("The kerb before it is raised."),
}  # fmt: skip


def way_there(site: SiteNoted | None, known: Words) -> tuple[str, ...]:
    """What the operator has noted of it, the way itself first, as it was written; nothing where nobody has said."""
    if site is None:
        return ()
    said = [site.way]
    if site.step_free is not False and site.step_free_way:
        said.append(known.say(N_("Without steps: {way}"), way=site.step_free_way))
    elif site.step_free is not None:
        said.append(known.say(_STEPS[site.step_free]))
    said.append("" if site.lit is None else known.say(_LIT[site.lit]))
    said.append(known.say(_KERB[site.kerb]) if site.kerb else "")
    return tuple(each for each in said if each)
