"""A schema proposed by inspection: `propose(source)` looks, `schema_text(proposal)` writes it down."""

from relwise.data.inspect.proposal import Proposal
from relwise.data.inspect.propose import propose
from relwise.data.inspect.write import schema_text

__all__ = ["Proposal", "propose", "schema_text"]
