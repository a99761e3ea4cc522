"""From settings to the sampler of negatives that they name."""

from __future__ import annotations

from relwise.negatives import (
    ASASampler,
    HardestSampler,
    KBGANSampler,
    NegativeSampler,
    NSCachingSampler,
    RandomSampler,
    SelfAdversarialSampler,
)
from relwise.settings import Settings


def make_sampler(settings: Settings) -> NegativeSampler:
    """The sampler that the settings name."""
    if settings.sampler == "hardest":
        return HardestSampler(settings.pool, settings.warmup, settings.edges_per_pool())
    if settings.sampler == "nscaching":
        return NSCachingSampler(settings.pool, settings.warmup)
    if settings.sampler == "self_adversarial":
        return SelfAdversarialSampler(settings.pool, settings.temperature, settings.warmup, settings.edges_per_pool())
    if settings.sampler == "kbgan":
        return KBGANSampler(settings.pool, settings.warmup)
    if settings.sampler == "asa":
        steps = max(1, settings.steps - settings.warmup)
        return ASASampler(
            settings.pool, settings.mu, settings.mu_decay, steps, settings.warmup, settings.edges_per_pool()
        )
    return RandomSampler()
