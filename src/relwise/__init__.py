"""relwise: relationship prediction in attributed, heterogeneous, multi-relational graphs."""

__version__ = "0.1.0"
