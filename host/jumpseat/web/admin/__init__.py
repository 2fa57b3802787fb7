"""Pages of the administration: what is edited here are the files that an administrator also edits by hand."""
