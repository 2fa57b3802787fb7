"""The shares room: composing what a customer receives, storing it with its delivery, and delivering it."""
