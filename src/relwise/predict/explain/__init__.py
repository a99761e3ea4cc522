"""Why an edge is likely, or not.

| part of an explanation | how it is found |
| --- | --- |
| `carriers`, `against` | the ties of most influence (`influence`), each silenced in turn (`occlusion`) |
| `attributes` | each attribute of the two ends taken away in turn, as if missing (`attributes`) |
| `paths` | paths of one to three known ties between the ends, by pattern (`paths`) |
| `similar` | known edges whose ends agree in the same way (`similar`) |
| `sentence` | all that in words (`sentence`) |

The edge asked about, where it is known and carries messages, is silent throughout: it is no evidence for itself.
"""

from relwise.predict.explain.explainer import Explainer, explainer_of
from relwise.predict.explain.explanation import AttributeEffect, Carrier, Explanation, Node, Paths, Similar
from relwise.predict.explain.threads import one_thread

__all__ = [
    "AttributeEffect",
    "Carrier",
    "Explainer",
    "Explanation",
    "Node",
    "Paths",
    "Similar",
    "explainer_of",
    "one_thread",
]
