"""Where the people are: the standard objects of Salesforce and of Dynamics, rule by rule, in the CRM's own field names."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from jumpseat import ContactRule, Recipe

_SUPPLIED = MappingProxyType({"name": "SuppliedName", "email": "SuppliedEmail", "phone": "SuppliedPhone"})

# AccountContactRole marks a primary contact, AccountContactRelation also knows people of other accounts, and every contact
# names its own account: together they are all contacts of an account, the primary one first.
SALESFORCE: Mapping[str, Recipe] = MappingProxyType(
    {
        "Account": Recipe(
            (
                ContactRule("roles", "AccountContactRole"),
                ContactRule("roles", "AccountContactRelation"),
                ContactRule("children", "AccountId"),
            ),
        ),
        "Contact": Recipe((ContactRule("self"),), ("Email",), ("MobilePhone", "Phone")),
        "Lead": Recipe((ContactRule("self"),), ("Email",), ("MobilePhone", "Phone")),
        "Case": Recipe(
            (ContactRule("lookup", "ContactId"), ContactRule("account_contacts", "AccountId"), ContactRule("value", fields=_SUPPLIED)),
            ("ContactEmail", "SuppliedEmail"),
            ("ContactMobile", "ContactPhone", "SuppliedPhone"),
        ),
        "Opportunity": Recipe((ContactRule("roles", "OpportunityContactRole"), ContactRule("account_contacts", "AccountId"))),
    }
)

# A lead, an opportunity or a case with an account goes to the account's primary contact; the other people follow as a choice.
DYNAMICS: Mapping[str, Recipe] = MappingProxyType(
    {
        "account": Recipe((ContactRule("account_primary", "accountid"), ContactRule("children", "parentcustomerid")), ("emailaddress1",)),
        "contact": Recipe((ContactRule("self"),), ("emailaddress1",), ("mobilephone", "telephone1")),
        "lead": Recipe(
            (ContactRule("account_primary", "parentaccountid"), ContactRule("self"), ContactRule("lookup", "parentcontactid")),
            ("emailaddress1", "emailaddress2", "emailaddress3"),
            ("mobilephone", "telephone1", "telephone2", "telephone3"),
        ),
        "incident": Recipe(
            (
                ContactRule("account_primary", "customerid"),
                ContactRule("lookup", "primarycontactid"),
                ContactRule("lookup", "customerid"),
            ),
            ("emailaddress",),
        ),
        "opportunity": Recipe(
            (
                ContactRule("account_primary", "parentaccountid"),
                ContactRule("account_primary", "customerid"),
                ContactRule("lookup", "parentcontactid"),
                ContactRule("lookup", "customerid"),
            ),
            ("emailaddress",),
        ),
    }
)
