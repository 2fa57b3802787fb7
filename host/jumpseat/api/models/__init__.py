"""What goes over the wire: flat, named, camelCase. Absent is absent: no key is ever null, and no schema is a choice of several.

The answers have the shape of ``jumpseat.views``, so that the command line and the API show the same.
"""
