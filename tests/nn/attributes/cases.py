"""What every attribute encoder must do: one abstract test case, a few lines per modality."""

from __future__ import annotations

import json

import numpy as np
import pytest
import torch
from safetensors.torch import load, save

from relwise.nn.attributes import AttributeEncoder, Ragged

DIM = 6


def reloaded(module):
    """The module as a run folder gives it back: its config through JSON, its tensors through safetensors."""
    other = type(module).from_config(json.loads(json.dumps(module.config())))
    other.load_state_dict(load(save(module.state_dict())), strict=True)
    return other


def same_bits(a: torch.Tensor | Ragged, b: torch.Tensor | Ragged) -> bool:
    if isinstance(a, Ragged) or isinstance(b, Ragged):
        return type(a) is type(b) and a.lists() == b.lists()
    return a.dtype == b.dtype and a.shape == b.shape and a.numpy().tobytes() == b.numpy().tobytes()


def column(*values) -> np.ndarray:
    """Texts, categories or sets as an attribute holds them."""
    array = np.empty(len(values), dtype=object)
    array[:] = values
    return array


class EncoderCase:
    """Subclasses say which encoder, how to draw `n` values, and what a missing value is."""

    encoder_class: type[AttributeEncoder]
    rounding = 0.0  # by how much other rows may change an output

    def values(self, n: int, seed: int = 0) -> np.ndarray:
        raise NotImplementedError

    def blanked(self, values: np.ndarray, rows: np.ndarray) -> np.ndarray:
        """A copy with the rows missing."""
        values = values.copy()
        values[rows] = {"M": np.datetime64("NaT"), "O": None}.get(values.dtype.kind, np.nan)
        return values

    def check(self, encoder: AttributeEncoder, values: np.ndarray) -> torch.Tensor:
        """Prepared and run: finite, of the promised shape and type, the same from the reloaded encoder."""
        prepared = encoder.prepare(values)
        assert isinstance(prepared, Ragged) or prepared.dtype in (torch.float32, torch.int64)
        assert len(prepared) == len(values)
        output = encoder(prepared)
        assert output.shape == (len(values), encoder.out_dim)
        assert torch.isfinite(output).all()
        twin = reloaded(encoder)
        assert twin.config() == encoder.config()
        assert same_bits(twin.prepare(values), prepared)
        assert same_bits(twin(prepared).detach(), output.detach())
        return output.detach()

    @pytest.mark.parametrize("n", [0, 1, 2, 3, 50])
    def test_any_number_of_rows_fitted_or_prepared(self, n):
        encoder = self.encoder_class.fit(self.values(n), DIM)
        assert encoder.out_dim == DIM
        for other in (n, 0, 1, 20):
            self.check(encoder, self.values(other, seed=1))

    def test_missing_rows_change_no_other_row(self):
        values = self.values(40)
        encoder = self.encoder_class.fit(values, DIM)
        rows = np.array([0, 7, 39])
        others = np.setdiff1d(np.arange(40), rows)
        before, after = self.check(encoder, values), self.check(encoder, self.blanked(values, rows))
        torch.testing.assert_close(before[others], after[others], rtol=0, atol=self.rounding)
        assert same_bits(after[rows], after[rows[:1]].expand(3, -1).contiguous())  # missing is missing

    def test_missing_rows_leave_the_statistics_alone(self):
        values = self.values(40)
        more = np.concatenate([values, self.blanked(values, np.arange(40))])
        a, b = self.encoder_class.fit(values, DIM), self.encoder_class.fit(more, DIM)
        assert a.config() == b.config()
        assert same_bits(a.prepare(values), b.prepare(values))

    def test_missing_is_no_value(self):
        values = self.values(40)
        encoder = self.encoder_class.fit(values, DIM)
        blank = encoder.prepare(self.blanked(values, np.arange(40)))
        prepared = encoder.prepare(values)
        assert not any(same_bits(prepared[rows], blank[rows]) for rows in torch.arange(40).split(1))

    def test_all_missing(self):
        values = self.blanked(self.values(9), np.arange(9))
        output = self.check(self.encoder_class.fit(values, DIM), values)
        assert (output == output[0]).all()
        self.check(self.encoder_class.fit(values, DIM), self.values(9))

    def test_constant_column(self):
        values = np.repeat(self.values(1), 9, axis=0)
        output = self.check(self.encoder_class.fit(values, DIM), values)
        assert (output == output[0]).all()

    def test_the_same_seed_gives_the_same_encoder(self):
        states = []
        for _ in range(2):
            torch.manual_seed(0)
            states.append(self.encoder_class.fit(self.values(30), DIM).state_dict())
        assert all(same_bits(states[0][name], states[1][name]) for name in states[0])

    def test_every_weight_gets_a_gradient(self):
        encoder = self.encoder_class.fit(self.values(30), DIM)
        encoder(encoder.prepare(self.values(30))).square().sum().backward()
        assert all(p.grad is not None and p.grad.abs().sum() > 0 for p in encoder.parameters())

    def test_no_outputs_are_refused(self):
        with pytest.raises(ValueError, match="at least one output"):
            self.encoder_class.fit(self.values(3), 0)
