"""Where the people of the standard tables are, and by which relations they are reached."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from jumpseat import ContactRule, Recipe

# A lead, an opportunity or a case with an account goes to the account's primary contact; the other people follow as a choice.
RECIPES: Mapping[str, Recipe] = MappingProxyType(
    {
        "account": Recipe((ContactRule("account_primary", "accountid"), ContactRule("children", "parentcustomerid"))),
        "contact": Recipe((ContactRule("self"),), ("emailaddress1",), ("mobilephone", "telephone1")),
        "incident": Recipe(
            (
                ContactRule("account_primary", "customerid"),
                ContactRule("lookup", "primarycontactid"),
                ContactRule("lookup", "customerid"),
                ContactRule("account_contacts", "customerid"),
            ),
        ),
        "lead": Recipe(
            (ContactRule("account_primary", "parentaccountid"), ContactRule("self"), ContactRule("lookup", "parentcontactid")),
            ("emailaddress1", "emailaddress2", "emailaddress3"),
            ("mobilephone", "telephone1", "telephone2", "telephone3"),
        ),
        "opportunity": Recipe(
            (
                ContactRule("account_primary", "parentaccountid"),
                ContactRule("account_primary", "customerid"),
                ContactRule("lookup", "parentcontactid"),
                ContactRule("lookup", "customerid"),
                ContactRule("account_contacts", "parentaccountid"),
                ContactRule("account_contacts", "customerid"),
            ),
        ),
    }
)

_CUSTOMER = MappingProxyType({"account": "customerid_account", "contact": "customerid_contact"})
RELATIONS: Mapping[str, Mapping[str, Mapping[str, str]]] = MappingProxyType(
    {
        "account": {"primarycontactid": {"contact": "primarycontactid"}},
        "contact": {"parentcustomerid": {"account": "parentcustomerid_account", "contact": "parentcustomerid_contact"}},
        "incident": {"primarycontactid": {"contact": "primarycontactid"}, "customerid": _CUSTOMER},
        "lead": {"parentcontactid": {"contact": "parentcontactid"}, "parentaccountid": {"account": "parentaccountid"}},
        "opportunity": {
            "parentcontactid": {"contact": "parentcontactid"},
            "parentaccountid": {"account": "parentaccountid"},
            "customerid": _CUSTOMER,
        },
    }
)
"""Table → lookup → table it points to → navigation property. A lookup that may point to two tables has one for each; the wrong one
reads as null."""

FREE_PLACE: Mapping[str, str] = MappingProxyType(
    {"incident": "primarycontactid", "lead": "parentcontactid", "opportunity": "parentcontactid"}
)
"""The lookup of a record that a person added to it is written into, where it is empty."""
