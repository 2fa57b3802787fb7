"""One module per group of operations; each has one ``router``. A handler reads the call, asks the host once, and shows the answer."""
