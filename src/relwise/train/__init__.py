"""Training: one loop of full-graph steps, checkpoints, progress."""

from relwise.train.loop import Trainer, TrainingResult

__all__ = ["Trainer", "TrainingResult"]
