"""The stand-in CRM of the demonstration: pages in two looks, on another site than the host, that show the host's components in frames."""
