"""The catalogue room: metadata and templates of a workspace → positions → schema → one frozen value, and its reload."""
