"""The settings of a run: one Pydantic model per part, flat keys, the same words as keywords and with `--set`."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, Literal, TypedDict

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from relwise.errors import InputError, nearest

SamplerName = Literal["random", "hardest", "nscaching", "self_adversarial", "kbgan", "asa"]
EncoderName = Literal["relgnn", "rgcn", "han", "hgt", "rgat", "gatne", "lookup"]
DecoderName = Literal["distmult", "complex", "conve", "rotate", "transe"]
TextName = Literal["tfidf", "rnn", "rnn_pretrained", "model2vec", "sentence_transformers"]
Measure = Literal["ap", "auc", "mrr"]
MaskName = Literal["random", "time"]


class ModelSettings(BaseModel):
    """The network."""

    dim: int = Field(128, ge=1, le=4096, description="size d of node and relation states")
    encoder: EncoderName = Field(
        "relgnn",
        description="relgnn | rgcn | han | hgt | rgat | gatne | lookup: what passes states on along the edges; rgcn "
        "does so without attention, lookup not at all: it is an embedding table, or what attributes say; han, hgt and "
        "rgat are PyG's layers, and need the extra `pyg`; gatne gives a node a state for each relation",
    )
    layers: int = Field(2, ge=1, le=8, description="message passing layers; gatne's levels of neighbours")
    heads: int = Field(2, ge=1, le=64, description="attention heads; han, hgt and rgat share dim among them")
    bases: int | None = Field(
        None,
        ge=1,
        description="basis matrices a layer (eq. 5); none: a matrix for each up to 10 message relations "
        "(a directed one counts twice, with its inverse), else 10",
    )
    dropout: float = Field(
        0.2, ge=0, lt=1, description="share of each layer's inputs zeroed in training; of lookup's states"
    )
    precision: Literal["float32", "bf16"] = Field(
        "float32",
        description="of the factors of the layers' matrix products; bf16 rounds them to bfloat16 and adds in float32: "
        "for processors with bfloat16 units, elsewhere slower",
    )
    node_embedding: bool = Field(
        False, description="give types with attributes a learnt embedding too; types without always have one"
    )
    embedding_dropout: float = Field(
        0.02,
        ge=0,
        lt=1,
        description="share of the learnt embeddings that each step replaces by the one that new nodes share; 0 leaves "
        "that one untrained",
    )
    embedding_std: float | None = Field(
        None,
        gt=0,
        le=100,
        description="deviation at which the numbers of learnt embeddings start; none: 3 / sqrt(dim), which gives "
        "vectors of length 3; lookup with distmult or complex learns better from a small one, such as 0.03",
    )
    degrees: bool = Field(
        False,
        description="let nodes know how many training edges of each relation they have: attention takes means, and "
        "cannot count",
    )
    text: TextName = Field(
        "tfidf",
        description="tfidf | rnn | rnn_pretrained | model2vec | sentence_transformers: what reads texts; rnn is a "
        "recurrent network trained with the rest, rnn_pretrained one trained on the column as a language model first; "
        "the last two take ready-made models, and need the extra `text`",
    )
    text_model: str | None = Field(
        None,
        description="name of a model, or its folder (model2vec, sentence_transformers); none: "
        "minishlab/potion-base-8M, sentence-transformers/all-MiniLM-L6-v2; a name is downloaded once",
    )
    decoder: DecoderName = Field(
        "distmult",
        description="distmult | complex | conve | rotate | transe: what scores an edge; distmult cannot tell an edge "
        "from its reverse, the others can; complex and rotate need an even dim, conve one that is a product; gatne has "
        "distmult alone, of its relations' own states",
    )


class SamplerSettings(BaseModel):
    """The negatives."""

    sampler: SamplerName = Field(
        "asa",
        description="random | hardest | nscaching | self_adversarial | kbgan | asa: how a negative is taken; asa is "
        "the default: its validation AP was the best on Amazon, and within a deviation of random's on the demo's "
        "flights",
    )
    pool: int = Field(
        10,
        ge=1,
        le=10_000,
        description="corruptions to choose from (hardest, kbgan, asa); size of a cache, and of what is joined to it in "
        "a step (nscaching); negatives of each positive (self_adversarial)",
    )
    shared_pool: int | None = Field(
        None,
        ge=1,
        le=10_000,
        description="edges of one relation and replaced end that share a draw of the pool (hardest, asa), or of "
        "one type and replaced end (self_adversarial); 1: each has a pool of its own; none: 32 for pools of 50 and "
        "more, else 1",
    )
    mu: float = Field(0.1, ge=-1, le=1, description="how much less likely than its positive a negative is to be (asa)")
    mu_decay: Literal["constant", "linear", "exponential"] = Field("constant", description="of mu over the steps (asa)")
    temperature: float = Field(
        1.0, ge=0, description="how much more a likely negative counts than an unlikely one (self_adversarial)"
    )
    warmup: int = Field(
        0, ge=0, description="steps of random negatives first (all but random); hardest may collapse without"
    )


class TrainingSettings(BaseModel):
    """The training."""

    steps: int = Field(250, ge=1, description="full-graph steps at most")
    learning_rate: float = Field(0.02, gt=0, description="Adam's, at its peak")
    weight_decay: float = Field(1e-5, ge=0, description="L2 pull of all weights towards zero")
    share: float = Field(
        0.3, gt=0, lt=1, description="share of the training edges supervised, and masked, in each step"
    )
    mask: MaskName = Field(
        "random",
        description="random | time: which edges a step learns from; time takes all from a random moment on, and "
        "nothing from then on carries a message: what a split by time asks of the network",
    )
    device: Literal["cpu", "cuda"] = Field(
        "cpu", description="cpu | cuda: where it trains; cuda is a GPU, for which torch must be built"
    )
    select: Measure = Field("ap", description="ap | auc | mrr: validation measure by which the best state is kept")
    eval_every: int = Field(10, ge=1, description="steps between validations")
    patience: int = Field(8, ge=1, description="validations without a better value before training stops")


class Settings(ModelSettings, SamplerSettings, TrainingSettings):
    """All settings of a run.

    >>> Settings.of({"dim": "64"}).dim
    64
    >>> Settings.of({"samplr": "asa"})
    Traceback (most recent call last):
    relwise.errors.InputError: there is no setting 'samplr'; did you mean 'sampler' or 'share'?
    """

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)

    @classmethod
    def of(cls, values: Mapping[str, Any]) -> Settings:
        """Settings from key and value pairs; raises InputError naming the nearest key or the values allowed."""
        for key in values:
            if key not in cls.model_fields:
                remedy = nearest(key, cls.model_fields) or f"the settings are {', '.join(cls.model_fields)}"
                raise InputError(f"there is no setting {key!r}", remedy=remedy)
        try:
            settings = cls.model_validate(
                {key: None if value in ("none", "None") else value for key, value in values.items()}
            )
        except ValidationError as error:
            first = error.errors()[0]
            key = str(first["loc"][0])
            raise InputError(
                f"{key} = {values.get(key)!r}: {first['msg'][0].lower()}{first['msg'][1:]}",
                remedy=f"{key} is {cls.model_fields[key].description}",
            ) from None
        if settings.decoder in ("complex", "rotate") and settings.dim % 2:
            raise InputError(
                f"dim = {settings.dim} is odd: decoder = {settings.decoder} takes half of a state for imaginary parts",
                remedy=f"set dim={settings.dim + 1}, or decoder=distmult",
            )
        sides = range(2, math.isqrt(settings.dim) + 1)
        if settings.decoder == "conve" and (settings.dim < 6 or all(settings.dim % side for side in sides)):
            raise InputError(
                f"dim = {settings.dim} is no image, which decoder = conve makes of a state",
                remedy="set dim to a product of two numbers, 3 or more: 64, 100, 128, 200",
            )
        if settings.encoder in ("han", "hgt", "rgat") and settings.dim % settings.heads:
            raise InputError(
                f"heads = {settings.heads} cannot share dim = {settings.dim} evenly, as encoder = {settings.encoder} "
                "asks",
                remedy=f"set dim={settings.dim + settings.heads - settings.dim % settings.heads}, or heads=1",
            )
        if settings.encoder == "gatne" and settings.decoder != "distmult":
            raise InputError(
                f"decoder = {settings.decoder} has no use with encoder = gatne, whose states are of one relation each",
                remedy="set decoder=distmult, or another encoder",
            )
        if settings.text_model is not None and settings.text not in ("model2vec", "sentence_transformers"):
            raise InputError(
                f"text_model = {settings.text_model} has no use with text = {settings.text}",
                remedy="set text=model2vec or text=sentence_transformers, or leave text_model out",
            )
        return settings

    def num_bases(self, num_relations: int) -> int | None:
        """B of eq. 5 for so many message relations; None for a matrix each."""
        if self.bases is not None:
            return self.bases
        return None if num_relations <= 10 else 10

    def edges_per_pool(self) -> int:
        """How many edges share a draw of the pool."""
        return self.shared_pool or (32 if self.pool >= 50 else 1)


class SettingsKeywords(TypedDict, total=False):
    """The keywords of `Settings`, for editors; a test holds the two together."""

    dim: int
    encoder: EncoderName
    layers: int
    heads: int
    bases: int | None
    dropout: float
    precision: Literal["float32", "bf16"]
    node_embedding: bool
    embedding_dropout: float
    embedding_std: float | None
    degrees: bool
    text: TextName
    text_model: str | None
    decoder: DecoderName
    sampler: SamplerName
    pool: int
    shared_pool: int | None
    mu: float
    mu_decay: Literal["constant", "linear", "exponential"]
    temperature: float
    warmup: int
    steps: int
    learning_rate: float
    weight_decay: float
    share: float
    mask: MaskName
    device: Literal["cpu", "cuda"]
    select: Measure
    eval_every: int
    patience: int
