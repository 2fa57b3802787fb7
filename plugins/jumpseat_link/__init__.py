"""Sessions in any meeting tool that is reached by a link."""
