"""Dynamics 365 and Dataverse: the record source ``dynamics``, and what moves metadata in and out of an environment."""
