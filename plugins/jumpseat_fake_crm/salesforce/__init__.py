"""A Salesforce org: OAuth, REST, SOQL, Chatter, written from the platform's description."""
