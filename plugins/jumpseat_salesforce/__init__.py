"""Salesforce: the record source ``salesforce``, and what moves metadata in and out of an org."""
