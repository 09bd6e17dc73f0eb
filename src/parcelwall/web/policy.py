"""Business knobs as operators' programs send and read them, made from the knobs that there are."""

from typing import Any

import msgspec
from msgspec import UNSET, UnsetType

from parcelwall.hub import policies
from parcelwall.hub.house import Hub
from parcelwall.rules.policy import Policy
from parcelwall.web.bodies import Body

_KNOBS: dict[str, Any] = {  # name: what it may be; null too if it may be unset
    each.name: each.type | None if each.default is UNSET else each.type
    for each in msgspec.structs.fields(Policy) if each.name != "version"
}  # fmt: skip
_Sent: Any = msgspec.defstruct(
    "_Sent", [(name, kind | UnsetType, UNSET) for name, kind in _KNOBS.items()], bases=(Body,), kw_only=True
)
_Shown: Any = msgspec.defstruct("_Shown", [("version", int), *_KNOBS.items()], kw_only=True)


class PolicyBody(_Sent):
    """The knobs to change; those that are not named stay as they are. `null` for one that may stand for nothing."""

    version: int

    def over(self, policy: Policy) -> Policy:
        """The policy in force with these knobs changed. Raises Refusal for what no network can be run by."""
        given = {name: value for name, value in msgspec.structs.asdict(self).items() if value is not UNSET}
        changed = {name: UNSET if value is None else value for name, value in given.items()}
        wanted = msgspec.structs.replace(policy, **changed)
        policies.refuse_odd(wanted)
        return wanted


class PolicyShown(_Shown):
    """Every knob as it holds now; `null` is a cost or a number that nobody has stated."""


def shown(policy: Policy) -> PolicyShown:
    """The policy with what its unset knobs stand for."""
    return PolicyShown(**{"version": policy.version, **policies.in_force(policy)})


async def lay_over(hub: Hub, data: PolicyBody) -> Policy:
    """What would be in force with these knobs, from the policy that is in force now, whoever adopted it.
    Raises Refusal as `over` does, and for carriers that there are not."""
    await hub.refresh()
    wanted = data.over(hub.policy)
    await policies.refuse_unknown(hub, wanted)
    return wanted
