import numpy as np
import pytest
from numba import njit

from relwise.kernels import softmax
from relwise.kernels.lanes import ROOM

DEGREES = [3, 0, 1, 16, 17, 8, 9, 32, 33, 2, 300, 15, 0, 64, 1]
TYPES = [(np.float32, 3e-6), (np.float64, 1e-13)]


@njit
def weigh_targets(target_logit, logits, slope, first, last, stops, alpha, weight, found, logsumexp, slopes):
    softmax.weigh_targets(
        target_logit, logits, slope, first, last, stops, alpha, weight, found, logsumexp, slopes
    )  # fmt: skip


def weighed(target_logit, logits, slope, first=2):
    """What `weigh_targets` finds of the targets first..., whose runs have the lengths of DEGREES."""
    (targets, heads), dtype, stops = target_logit.shape, logits.dtype, np.cumsum(DEGREES)
    assert targets == first + len(DEGREES)
    alpha, weight = np.full((2, stops[-1] + ROOM), 7, dtype)
    found, (logsumexp, slopes) = np.empty((3, len(DEGREES) * heads), dtype), np.full((2, targets, heads), 7, dtype)
    given = np.pad(logits, ((0, 0), (0, ROOM)), constant_values=np.nan)
    weigh_targets(
        target_logit, given, dtype.type(slope), first, targets, stops, alpha, weight, found, logsumexp, slopes
    )
    assert (logsumexp[:first] == 7).all()
    assert (slopes[:first] == 7).all()
    return weight[: stops[-1]], logsumexp[first:], slopes[first:]


def wanted(target_logit, logits, slope, first=2):
    """The same by the book, in float64."""
    weight, logsumexp, slopes = [], np.full((len(DEGREES), len(logits)), np.inf), np.zeros((len(DEGREES), len(logits)))
    for i, stop in enumerate(np.cumsum(DEGREES)):
        run = slice(stop - DEGREES[i], stop)
        raw = logits[:, run].astype(np.float64) + target_logit[first + i].astype(np.float64)[:, None]
        x = np.where(raw > 0, raw, slope * raw)
        if DEGREES[i]:
            logsumexp[i] = np.logaddexp.reduce(x, axis=1)
            slopes[i] = (np.exp(x - logsumexp[i][:, None]) * np.where(raw > 0, 1, slope)).sum(axis=1)
        weight.append(np.exp(x - logsumexp[i][:, None]).mean(axis=0))
    return np.concatenate(weight), logsumexp, slopes


def numbers(heads, dtype, spread):
    generator = np.random.default_rng(heads)
    target_logit = generator.normal(size=(2 + len(DEGREES), heads)) * spread
    return target_logit.astype(dtype), (generator.normal(size=(heads, sum(DEGREES))) * spread).astype(dtype)


@pytest.mark.parametrize("heads", [1, 2, 3])
@pytest.mark.parametrize(("dtype", "tolerance"), TYPES)
@pytest.mark.parametrize("slope", [0.0, 0.5])
@pytest.mark.parametrize("spread", [1.0, 20.0])
def test_weights_of_runs_of_all_lengths(heads, dtype, tolerance, slope, spread):
    given = numbers(heads, dtype, spread)
    for found, want in zip(weighed(*given, slope), wanted(*given, slope), strict=True):
        np.testing.assert_allclose(found, want, rtol=tolerance * spread, atol=tolerance)


@pytest.mark.parametrize("heads", [2, 3])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_the_same_bits_wherever_a_run_stands(heads, dtype):
    target_logit, logits = numbers(heads, dtype, 3.0)
    ends = np.cumsum(DEGREES)
    alike = [i for i, degree in enumerate(DEGREES) if degree == 1]
    target_logit[2 + alike[1]] = target_logit[2 + alike[0]]
    logits[:, ends[alike[1]] - 1] = logits[:, ends[alike[0]] - 1]
    _, logsumexp, slopes = weighed(target_logit, logits, 0.5)
    assert (logsumexp[alike[0]] == logsumexp[alike[1]]).all()
    assert (slopes[alike[0]] == slopes[alike[1]]).all()


@pytest.mark.parametrize("heads", [2, 3])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("i", [0, 4, 8])  # of a run within a register, within two, and longer
def test_what_is_no_number_stays_with_its_target(heads, dtype, i):
    target_logit, logits = numbers(heads, dtype, 1.0)
    begin, end = np.cumsum(DEGREES)[i] - DEGREES[i], np.cumsum(DEGREES)[i]
    plain, plain_sums, _ = weighed(target_logit, logits, 0.5)
    logits[0, begin + 1] = np.nan
    weight, logsumexp, slopes = weighed(target_logit, logits, 0.5)
    assert np.isnan(weight[begin:end]).all()
    assert np.isnan([logsumexp[i, 0], slopes[i, 0]]).all()
    assert np.isfinite(logsumexp[i, 1:]).all()
    np.testing.assert_array_equal(np.delete(weight, range(begin, end)), np.delete(plain, range(begin, end)))
    np.testing.assert_array_equal(np.delete(logsumexp, i, axis=0), np.delete(plain_sums, i, axis=0))


@pytest.mark.parametrize("i", [0, 4, 8])
def test_edges_at_minus_infinity_have_no_weight(i):
    target_logit, logits = numbers(2, np.float32, 1.0)
    begin, end = np.cumsum(DEGREES)[i] - DEGREES[i], np.cumsum(DEGREES)[i]
    logits[:, begin + 1] = -np.inf
    weight, _, _ = weighed(target_logit, logits, 0.5)
    assert weight[begin + 1] == 0
    assert weight[begin:end].sum() == pytest.approx(1, rel=1e-6)
    logits[:, begin:end] = -np.inf  # all of them: as if there were none
    weight, logsumexp, slopes = weighed(target_logit, logits, 0.5)
    assert (weight[begin:end] == 0).all()
    assert (logsumexp[i] == np.inf).all()
    assert (slopes[i] == 0).all()
