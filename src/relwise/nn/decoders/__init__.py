"""Decoders: from node states to the logit of an edge. One published method a file."""

from relwise.nn.decoders.base import Decoder, End
from relwise.nn.decoders.both_ways import BothWays
from relwise.nn.decoders.complex import ComplEx
from relwise.nn.decoders.conve import ConvE
from relwise.nn.decoders.distmult import DistMult
from relwise.nn.decoders.rotate import RotatE
from relwise.nn.decoders.slices import Slices
from relwise.nn.decoders.transe import TransE

__all__ = ["BothWays", "ComplEx", "ConvE", "Decoder", "DistMult", "End", "RotatE", "Slices", "TransE"]
