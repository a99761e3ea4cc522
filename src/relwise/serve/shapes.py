"""What is asked and what is answered: one Pydantic model each. The server and the Python client share them."""

from __future__ import annotations

from typing import Annotated, Any, Self

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, JsonValue, model_validator

from relwise.serve.explanation import ExplanationShape

MOST_EDGES = 10_000  # edges a request: well under a second of scoring, and a body of about a megabyte
MOST_QUERIES = 256  # each multiplies with every candidate
MOST_K = 1_000
MOST_ROWS = 20_000  # queries × k: a few megabytes of answer
MOST_NODES = 200  # a page of a search


def _is_number(value: object) -> object:
    """Pydantic takes `true` and `"3"` for numbers; the OpenAPI document does not."""
    if isinstance(value, bool | str):
        raise ValueError("input should be a number")
    return value


Share = Annotated[
    float | None,
    Field(
        default=None,
        gt=0,
        lt=1,
        description="the share of the pairs asked about that is true, which probabilities assume; by default the share "
        "among the pairs they were calibrated on",
    ),
    BeforeValidator(_is_number),
]
Text = Annotated[str, Field(min_length=1, max_length=1_000)]


class Asked(BaseModel):
    """What a client sends: a key that is not known is a mistake."""

    model_config = ConfigDict(extra="forbid")


class Triple(Asked):
    """An edge (head, relation, tail), by ids and by the relation's name."""

    head: Text = Field(description="id of the head")
    relation: Text = Field(description="the relation's name")
    tail: Text = Field(description="id of the tail")

    def parts(self) -> tuple[str, str, str]:
        """As the predictor takes it."""
        return self.head, self.relation, self.tail


class ScoreRequest(Asked):
    """Edges to be told the probabilities of."""

    edges: list[Triple] = Field(min_length=1, max_length=MOST_EDGES)
    prior: Share = None
    run: Text | None = Field(default=None, description="the run asked; by default the first")


class ExplainRequest(Triple):
    """The edge to be explained."""

    run: Text | None = Field(default=None, description="the run asked; by default the first")


def _all_but(missing: str) -> dict[str, Any]:
    given = [name for name in ("head", "relation", "tail") if name != missing]
    types = {name: {"type": "null" if name == missing else "string"} for name in ("head", "relation", "tail")}
    return {"required": given, "properties": types}


class Query(Asked):
    """An edge with one of its three parts left out: the part that is asked for."""

    model_config = ConfigDict(
        extra="forbid", json_schema_extra={"oneOf": [_all_but(name) for name in ("tail", "head", "relation")]}
    )

    head: Text | None = Field(default=None, description="id of the head; left out: heads are asked for")
    relation: Text | None = Field(default=None, description="the relation's name; left out: relations are asked for")
    tail: Text | None = Field(default=None, description="id of the tail; left out: tails are asked for")

    @model_validator(mode="after")
    def _one_is_missing(self) -> Self:
        if sum(part is None for part in (self.head, self.relation, self.tail)) != 1:
            raise ValueError("two of head, relation and tail must be given, and the third left out")
        return self


class TopKRequest(Asked):
    """Queries to be told the likeliest answers of."""

    queries: list[Query] = Field(min_length=1, max_length=MOST_QUERIES)
    k: Annotated[
        int, Field(ge=1, le=MOST_K, description="how many to list for each query"), BeforeValidator(_is_number)
    ] = 10
    known: bool = Field(default=False, strict=True, description="list known relationships too, marked")
    prior: Share = None
    run: Text | None = Field(default=None, description="the run asked; by default the first")


class OfRun(Asked):
    """The parameters of a GET that asks about a run."""

    run: Text | None = Field(default=None, description="the run asked; by default the first")


class OfNodes(OfRun):
    """The parameters of a search for nodes."""

    search: str = Field(
        default="", max_length=1_000, description="words that a node holds in id, label or attributes; none: all"
    )
    type: Text | None = Field(default=None, description="only nodes of this type")
    limit: int = Field(default=20, ge=1, le=MOST_NODES, description="how many to list")


class ScoreAnswer(BaseModel):
    """The probabilities, in the order asked."""

    run: str
    prior: float = Field(description="the share of the pairs asked about that they assume to be true")
    probabilities: list[float | None] = Field(description="null where the network's is no number")


class Found(BaseModel):
    """A relationship that is likely."""

    head: str
    relation: str
    tail: str
    name: str = Field(description="of the node found; of the tail where relations were asked for")
    probability: float | None
    known: bool = Field(description="whether the graph has it already")
    evidence: str | None = Field(default=None, description="what the graph itself says of the pair, in few words")


class TopKAnswer(BaseModel):
    """For each query, in the order asked, what was found, likeliest first."""

    run: str
    prior: float = Field(description="the share of the pairs asked about that probabilities assume to be true")
    answers: list[list[Found]]


class ExplainAnswer(BaseModel):
    """Why: a sentence to read, and all that it rests on."""

    run: str
    sentence: str
    explanation: ExplanationShape


class RelationInfo(BaseModel):
    """A relation, and how many edges of it are known."""

    name: str
    head: str = Field(description="node type of the heads")
    tail: str = Field(description="node type of the tails")
    directed: bool
    edges: int


class RelationsAnswer(BaseModel):
    """All relations of a run."""

    run: str
    relations: list[RelationInfo]


class NodeInfo(BaseModel):
    """A node, and what of it the search words stand in."""

    type: str
    id: str
    label: str
    matched: str = Field(description="`id`, `label`, or an attribute's name")
    text: str = Field(description="the text found, shortened")


class NodesAnswer(BaseModel):
    """The nodes found, best first."""

    run: str
    nodes: list[NodeInfo]
    total: int = Field(description="how many there are beyond the limit too")


Values = dict[str, float | None]


class Measures(BaseModel):
    """The measures on the test part as the run folder keeps them; null where a measure is not defined."""

    micro: Values = Field(description="over all relations, of the probability that is served")
    network: Values | None = Field(default=None, description="the network alone")
    evidence: Values | None = Field(default=None, description="the structural evidence alone")
    baselines: dict[str, Values] = Field(default_factory=dict)
    relations: dict[str, Values] = Field(default_factory=dict)


class ModelAnswer(BaseModel):
    """What a run is: its data, its settings, how good it is, and what to be careful of."""

    run: str
    version: str = Field(description="of relwise that serves it")
    seed: int
    settings: dict[str, JsonValue]
    nodes: dict[str, int] = Field(description="how many nodes of each type")
    edges: dict[str, int] = Field(description="how many edges of each part: train, valid, test")
    measures: Measures | None = Field(description="null where the run has no test edges")
    leakage: list[str] = Field(description="what the leakage report says, in sentences")
    audit: list[str] = Field(description="what the audit says, in sentences")
    notes: list[str] = Field(description="what reading the data dropped or changed")
    training: dict[str, JsonValue]


class RunInfo(BaseModel):
    """A run that is served."""

    name: str
    nodes: int
    edges: int
    relations: int


class RunsAnswer(BaseModel):
    """All runs that are served; the first is the one asked by default."""

    runs: list[RunInfo]


class HealthAnswer(BaseModel):
    """The server is up and its runs are loaded."""

    status: str
    runs: int
    version: str


class Problem(BaseModel):
    """What is wrong with a request."""

    code: str = Field(description="for programs: it does not change with the wording")
    field: str | None = Field(
        description="the part of the request, as `edges.0.head`; null where it is none in particular"
    )
    what: str
    remedy: str | None


class ErrorAnswer(BaseModel):
    """Every answer that is no success."""

    error: Problem
