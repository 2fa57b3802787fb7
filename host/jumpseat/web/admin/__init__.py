"""Pages on which administrators edit the metadata and look after the host."""
