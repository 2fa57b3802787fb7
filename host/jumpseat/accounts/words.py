"""What people read about their sign-ins."""

from __future__ import annotations

from jumpseat.speech import say

COMPANY_NEEDED = say("The company is not signed in to {label}. An administrator signs in with 'jumpseat accounts sign-in {name}'.")
NEEDED = say("You are not signed in to {label}. POST {url}/v1/accounts/{name}/start answers the address where you sign in.")
COMPANY_ENDED = say(
    "The company's sign-in to {label} has ended: {reason} An administrator signs in again with 'jumpseat accounts sign-in {name}'."
)
ENDED = say(
    "Your sign-in to {label} has ended: {reason} Sign in again; POST {url}/v1/accounts/{name}/start answers the address where you do."
)
NOT_ACCEPTED = say("{label} no longer takes it.")
RAN_OUT = say("it ran out, and {label} gave nothing to renew it with.")
UNREADABLE = say("it cannot be opened with the keys that are known here, or was moved.")
REVOKED = say("it was revoked.")
ENDED_TITLE = say("The company's sign-in to {label} has ended")
BEING_RENEWED = say("The sign-in to {label} is being renewed and that takes long. Try again in a moment.")
NOT_THERE = say("The sign-in '{name}' is not there: no plugin and no record source that is running brings it.")
NOT_TOLD = say("The sign-in is used here no more, but {label} could not be told: {reason} Try again, or end it there.")

TICKET_UNKNOWN = say("This address to sign in is not known, or has run out. Ask for a new one.")
TICKET_USED = say("This address to sign in was used already. Ask for a new one.")
CALLBACK_UNREADABLE = say("The answer to the sign-in cannot be read. Begin again.")
STATE_MISSING = say("The answer to the sign-in names no sign-in that began here. Begin again.")
STATE_UNKNOWN = say("The sign-in is not known here, was finished already, or took longer than 10 minutes. Begin again.")
OTHER_BROWSER = say("The sign-in began in another browser. Begin again, and finish it in the window in which it begins.")
OTHER_ISSUER = say("The answer to the sign-in does not come from {label}. Nothing was kept; tell it to your administrator.")
DECLINED = say("{label} did not grant access ({error}). Nothing was kept; begin again if that was not meant.")
CODE_MISSING = say("The answer to the sign-in brings no code. Begin again.")
EXCHANGE_REFUSED = say("{label} did not accept the sign-in: {reason} Begin again.")
SCOPES_MISSING = say(
    "{label} did not grant what is needed: {scopes}. Grant all that is asked for, or have an administrator change the application there."
)
