"""What is worth much goes to a verified person alone, if the operator's policy says from what worth on."""

from decimal import Decimal

from msgspec import UNSET

from parcelwall.errors import Refusal
from parcelwall.rules.decide import Order
from parcelwall.rules.policy import Policy


def is_proof_weak(order: Order, policy: Policy) -> bool:
    """Whether a parcel is worth more than its proof may guard. Worth is compared in the policy's own currency; in
    another, or where none is stated, the carrier's word counts. A return goes to a courier."""
    if policy.verified_from is UNSET or order.proof == "verified" or order.direction == "return":
        return False
    if order.value is None or order.currency != policy.verified_currency:
        return False
    return Decimal(order.value) >= Decimal(str(policy.verified_from))


def refuse_weak_proof(order: Order, policy: Policy) -> None:
    """Refuses an order whose proof is too weak for its worth."""
    if is_proof_weak(order, policy):
        raise Refusal("proof_too_weak", verified_from=policy.verified_from, currency=order.currency)
