"""A Dataverse environment: Entra's token endpoint and the Web API, written from the platform's description."""
