"""Calling whoever wants to be called: signed outgoing webhooks."""
