"""Decoders: from the states of an edge's two ends, and its relation, to a logit."""

from relwise.nn.decoders.base import Decoder, End
from relwise.nn.decoders.complex import ComplEx
from relwise.nn.decoders.distmult import DistMult

__all__ = ["ComplEx", "Decoder", "DistMult", "End"]
