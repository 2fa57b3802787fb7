import sys

sys.path.insert(0, "/nowhere/at/all")
