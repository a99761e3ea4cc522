"""`Answers`: what a trained network says of a graph's edges. `RelationshipPredictor` is one that trains it first."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from relwise.predict.explain import Explanation, explainer_of, one_thread
from relwise.predict.lists import Lists


class Answers(Lists):
    """Probabilities of edges, the likeliest missing ones and why, once there is a network to ask."""

    def predict_proba(
        self, edges: Sequence[tuple[object, str, object]], prior: float | None = None
    ) -> npt.NDArray[np.float64]:
        """(n,) the probability of each edge asked about.

        Args:
            edges: n triples (head id, relation, tail id).
            prior: the share of the pairs asked about that is assumed to hold; None: that of the validation edges
                (`final.share_true`), a half unless the data say otherwise.

        Raises:
            InputError: at an unknown id or relation, naming the nearest; at a prior that is no share.
        """
        return self.final.probabilities(self.indexed(edges), prior)

    def explain(self, head: object, relation: str, tail: object) -> Explanation:
        """Why a relationship is likely, or not (see `relwise.predict.explain`).

        Args:
            head, tail: ids.
            relation: the relation's name.

        Raises:
            InputError: at an unknown id or relation, naming the nearest.
        """
        edge, explainer = self.indexed([(head, relation, tail)]), explainer_of(self)
        with one_thread():
            return explainer.explain(edge, self.final)
