"""What people read about their sign-ins."""

from __future__ import annotations

COMPANY_NEEDED = "The company is not signed in to {label}. An administrator signs in with 'jumpseat accounts sign-in {name}'."
NEEDED = "You are not signed in to {label}. POST {url}/v1/accounts/{name}/start answers the address where you sign in."
COMPANY_ENDED = (
    "The company's sign-in to {label} has ended: {reason} An administrator signs in again with 'jumpseat accounts sign-in {name}'."
)
ENDED = "Your sign-in to {label} has ended: {reason} Sign in again; POST {url}/v1/accounts/{name}/start answers the address where you do."
NOT_ACCEPTED = "{label} no longer takes it."
RAN_OUT = "it ran out, and {label} gave nothing to renew it with."
UNREADABLE = "it cannot be opened with the keys that are known here, or was moved."
REVOKED = "it was revoked."
ENDED_TITLE = "The company's sign-in to {label} has ended"
BEING_RENEWED = "The sign-in to {label} is being renewed and that takes long. Try again in a moment."
NOT_THERE = "The sign-in '{name}' is not there: no plugin and no record source that is running brings it."
NOT_TOLD = "The sign-in is used here no more, but {label} could not be told: {reason} Try again, or end it there."

TICKET_UNKNOWN = "This address to sign in is not known, or has run out. Ask for a new one."
TICKET_USED = "This address to sign in was used already. Ask for a new one."
CALLBACK_UNREADABLE = "The answer to the sign-in cannot be read. Begin again."
STATE_MISSING = "The answer to the sign-in names no sign-in that began here. Begin again."
STATE_UNKNOWN = "The sign-in is not known here, was finished already, or took longer than 10 minutes. Begin again."
OTHER_BROWSER = "The sign-in began in another browser. Begin again, and finish it in the window in which it begins."
OTHER_ISSUER = "The answer to the sign-in does not come from {label}. Nothing was kept; tell it to your administrator."
DECLINED = "{label} did not grant access ({error}). Nothing was kept; begin again if that was not meant."
CODE_MISSING = "The answer to the sign-in brings no code. Begin again."
EXCHANGE_REFUSED = "{label} did not accept the sign-in: {reason} Begin again."
SCOPES_MISSING = (
    "{label} did not grant what is needed: {scopes}. Grant all that is asked for, or have an administrator change the application there."
)
