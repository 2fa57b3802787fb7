"""The records room: from a CRM record to the offer, what can be done with it now, and why not."""
