"""What was done through sessions: connections of a record and of the company, and writing them back to the CRM."""
