"""Training: one loop of full-graph steps, checkpoints, progress."""

from relwise.train.loop import Trainer
from relwise.train.state import TrainingResult

__all__ = ["Trainer", "TrainingResult"]
