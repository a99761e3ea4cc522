"""Attributes to numbers: one encoder per modality, one `TypeEncoder` per node type.

| modality | encoder | what it makes of a value |
| --- | --- | --- |
| `numeric` | `NumericEncoder` | median and interquartile range, `asinh`, missing flag |
| `categorical` | `CategoricalEncoder` | a learnt vector; buckets for the missing and the unseen |
| `multi_categorical` | `MultiCategoricalEncoder` | the mean of learnt vectors, one for each word |
| `boolean` | `BooleanEncoder` | 1 or -1; missing flag |
| `timestamp` | `TimestampEncoder` | trend; cycles of year, week and day; missing flag |
| `place` | `PlaceEncoder` | a point on the sphere and waves at six scales; missing flag |
| `text` | `TextEncoder` | TF-IDF of pieces of words, truncated SVD; missing flag (unless `text` says another) |
| | `RecurrentTextEncoder` | two GRUs over frequent words and letters, trained with the rest; missing flag |
| | `ModelTextEncoder` | the vector of a ready-made model; missing flag |
| `vector` | `VectorEncoder` | standardised; missing flag |
| none | `LearntEmbedding` | one learnt vector per node |
"""

from relwise.nn.attributes.base import AttributeEncoder
from relwise.nn.attributes.boolean import BooleanEncoder
from relwise.nn.attributes.categorical import CategoricalEncoder
from relwise.nn.attributes.learnt import LearntEmbedding
from relwise.nn.attributes.multi_categorical import MultiCategoricalEncoder
from relwise.nn.attributes.numeric import NumericEncoder
from relwise.nn.attributes.place import PlaceEncoder
from relwise.nn.attributes.ragged import Ragged
from relwise.nn.attributes.text import TextEncoder
from relwise.nn.attributes.text_choice import TextChoice
from relwise.nn.attributes.text_model import ModelTextEncoder
from relwise.nn.attributes.text_recurrent import RecurrentTextEncoder
from relwise.nn.attributes.timestamp import TimestampEncoder
from relwise.nn.attributes.type_encoder import ENCODERS, TypeEncoder
from relwise.nn.attributes.vector import VectorEncoder

__all__ = [
    "ENCODERS",
    "AttributeEncoder",
    "BooleanEncoder",
    "CategoricalEncoder",
    "LearntEmbedding",
    "ModelTextEncoder",
    "MultiCategoricalEncoder",
    "NumericEncoder",
    "PlaceEncoder",
    "Ragged",
    "RecurrentTextEncoder",
    "TextChoice",
    "TextEncoder",
    "TimestampEncoder",
    "TypeEncoder",
    "VectorEncoder",
]
