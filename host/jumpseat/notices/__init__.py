"""Telling people: live events, notices that a customer joined, alerts to administrators."""
