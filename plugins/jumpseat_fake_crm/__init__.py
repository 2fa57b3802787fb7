"""CRMs that run on this machine and speak the wire protocols of Salesforce and Dataverse, for tests, demos and trying things out."""
