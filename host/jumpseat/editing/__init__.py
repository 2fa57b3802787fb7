"""Edits of a workspace's own files: exactly the lines that were meant, never over somebody else's change."""
