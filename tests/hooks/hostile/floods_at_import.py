import sys

for _ in range(100):
    print("x" * 1_000_000)
    sys.stderr.write("y" * 1_000)
