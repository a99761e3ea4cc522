"""The parts of `benchmarks/speed.py`: graphs, peers, floors, and how a process is measured."""
