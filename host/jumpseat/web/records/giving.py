"""What a session gives its supporter, and what nobody will tell them: its type's abilities in words."""

from __future__ import annotations

from jumpseat.contract import Abilities
from jumpseat.speech import say

CONTROL = say("You act on the customer's machine.")
SCREEN = say("The customer shows a screen: you look, and do not act on it.")
CAMERA = say("The customer shows what their camera sees.")
UNHEARD = say("Nobody tells Jumpseat when the customer joins: agree on it with them.")


def giving(can: Abilities) -> tuple[str, ...]:
    """The sentences for a valid session."""
    said = ((CONTROL, can.control), (SCREEN, can.screen), (CAMERA, can.camera), (UNHEARD, not can.joined_signal))
    return tuple(sentence for sentence, holds in said if holds)
