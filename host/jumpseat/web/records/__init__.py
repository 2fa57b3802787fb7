"""Components of one record: each a page of its own and a fragment in a page of the CRM."""
