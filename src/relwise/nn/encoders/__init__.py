"""Networks to compare RelGNN with, one published method a file. Each is a `relwise.nn.network.Network`."""

from relwise.nn.encoders.lookup import Lookup
from relwise.nn.encoders.rgcn import RGCN

__all__ = ["RGCN", "Lookup"]
