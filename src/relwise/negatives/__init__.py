"""Negatives: edges that are taken not to hold, made by replacing one end of an edge that does.

| sampler | takes from a pool of k corruptions | when to use it |
| --- | --- | --- |
| `RandomSampler` | the first | quickest; its probabilities can be read at 0.5 |
| `HardestSampler` | the likeliest under the model (eq. 10) | nearly all true edges are recorded |
| `ASASampler` | the one µ less likely than its positive (eq. 11) | true edges are missing; the default |
| `SelfAdversarialSampler` | all, weighed by their likelihood | a step may cost k times as much |
| `KBGANSampler` | one drawn by a generator, which learns what the model finds likely | as the hardest, but varied |
| `NSCachingSampler` | (no pool, a cache of k likely ones) any, evenly | the likeliest, but seldom the same |

`Corruptor` proposes and refuses, a sampler takes; on the CPU both happen in one fused pass.
"""

from relwise.negatives.asa import ASASampler
from relwise.negatives.base import NegativeSampler, PoolSampler
from relwise.negatives.corrupt import Corruptor, Negatives
from relwise.negatives.filters import KnownEdges
from relwise.negatives.hardest import HardestSampler
from relwise.negatives.kbgan import KBGANSampler
from relwise.negatives.nscaching import NSCachingSampler
from relwise.negatives.random import RandomSampler
from relwise.negatives.self_adversarial import SelfAdversarialSampler

__all__ = [
    "ASASampler",
    "Corruptor",
    "HardestSampler",
    "KBGANSampler",
    "KnownEdges",
    "NSCachingSampler",
    "NegativeSampler",
    "Negatives",
    "PoolSampler",
    "RandomSampler",
    "SelfAdversarialSampler",
]
