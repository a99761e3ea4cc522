"""Networks to compare RelGNN with, one published method a file. Each is a `relwise.nn.network.Network`."""

from relwise.nn.encoders.gatne import GATNE
from relwise.nn.encoders.han import HAN
from relwise.nn.encoders.hgt import HGT
from relwise.nn.encoders.lookup import Lookup
from relwise.nn.encoders.rgat import RGAT
from relwise.nn.encoders.rgcn import RGCN
from relwise.nn.encoders.typed import TypedNetwork

__all__ = ["GATNE", "HAN", "HGT", "RGAT", "RGCN", "Lookup", "TypedNetwork"]
