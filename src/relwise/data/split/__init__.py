"""Dividing a graph's edges into message, supervision, valid, test and filter edges.

- *message* edges carry messages: the training edges. Nothing of valid or test is ever among them.
- *supervision* edges are those of the message edges that may be learnt from. In every step the ones being
  supervised, and their reverses, are masked from message passing (`relwise.train`).
- *filter* edges are all known edges of every part: what ranking leaves out.

| `by` | valid and test are | file |
| --- | --- | --- |
| `given` | what the data say | `make.py` |
| `random` | shares of each relation's edges | `random.py` |
| `time` | the edges from a moment on | `time.py` |
| `unseen` | all edges of a share of one type's nodes | `unseen.py` |
| `group` | shares of the edges, all that belong together in one part | `group.py` |

Except in a given split, all statements of one fact (both orientations of an undirected edge) fall into one part. A
part's negatives are those that the data give, else one per positive (`negatives.py`). What counts as a seen node is in
`seen.py`.
"""

from relwise.data.split.base import LabelledEdges, Split
from relwise.data.split.carry import carry_over
from relwise.data.split.make import split_graph
from relwise.data.split.negatives import draw_negatives
from relwise.data.split.seen import seen_nodes

__all__ = ["LabelledEdges", "Split", "carry_over", "draw_negatives", "seen_nodes", "split_graph"]
