"""A session in the customer's browser: the screen or the camera, seen by the supporter, with nothing to install."""
