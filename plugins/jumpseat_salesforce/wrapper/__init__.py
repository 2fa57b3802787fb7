"""The wrapper for Salesforce: a project that can be deployed and frames the host's pages in Lightning and Classic."""
