"""The choice of the library, and products by each."""

from __future__ import annotations

import pytest
import torch

from relwise.errors import InputError
from relwise.kernels import matmul


@pytest.fixture(autouse=True)
def undecided(monkeypatch):
    monkeypatch.setattr(matmul, "_chosen", None)
    monkeypatch.delenv("RELWISE_MATMUL", raising=False)


@pytest.mark.parametrize("library", ["relwise", "onednn", "torch"])
@pytest.mark.parametrize(
    ("rows", "depth", "columns"),
    [(1, 1, 1), (3, 5, 2), (100, 100, 100), (700, 16, 100), (33, 3000, 70), (0, 4, 5), (4, 0, 5)],
)
def test_products_by_float64_whatever_the_strides(library, rows, depth, columns) -> None:
    matmul.use_library(library)
    torch.manual_seed(rows)
    a, b = torch.rand(rows, depth), torch.rand(depth, columns)
    exact = a.double() @ b.double()
    spaced = torch.zeros(rows, 2 * depth)[:, ::2].copy_(a)
    for left in (a, a.t().contiguous().t(), spaced):
        for right in (b, b.t().contiguous().t(), torch.zeros(depth, 2 * columns)[:, ::2].copy_(b)):
            torch.testing.assert_close(matmul.product(left, right).double(), exact, rtol=1e-5, atol=1e-12)


@pytest.mark.parametrize("library", ["relwise", "onednn", "torch"])
def test_float64_is_always_torchs(library) -> None:
    matmul.use_library(library)
    a, b = torch.rand(70, 80, dtype=torch.float64), torch.rand(80, 90, dtype=torch.float64)
    assert torch.equal(matmul.product(a, b), a @ b)
    assert not matmul.on_tile(a)


@pytest.mark.parametrize("library", ["relwise", "onednn", "torch"])
@pytest.mark.parametrize("rows", [2, 100, 3000])
def test_matrices_that_do_not_fit_are_refused(library, rows) -> None:
    matmul.use_library(library)
    with pytest.raises((ValueError, RuntimeError)):
        matmul.product(torch.ones(rows, 100), torch.ones(101, 100))


def test_large_matrices_are_left_to_the_other_libraries(monkeypatch) -> None:
    matmul.use_library("relwise")
    monkeypatch.setattr(matmul, "LARGE", 10)
    monkeypatch.setattr(matmul, "_on_tile", None)
    a, b = torch.rand(100, 80), torch.rand(80, 90)
    torch.testing.assert_close(matmul.product(a, b), a @ b)


@pytest.mark.parametrize(("fused", "cpu", "expected"), [(True, "any", "relwise"), (False, "GenuineIntel", "torch")])
def test_the_processor_decides(monkeypatch, fused, cpu, expected) -> None:
    monkeypatch.setattr(matmul, "FUSED", fused)
    monkeypatch.setattr(matmul, "_cpu", lambda: cpu)
    assert matmul.library() == expected


def test_the_environment_decides_otherwise(monkeypatch) -> None:
    monkeypatch.setenv("RELWISE_MATMUL", "torch")
    assert matmul.library() == "torch"
    assert not matmul.on_tile(torch.ones(2, 2))


def test_an_unknown_library_is_an_error_that_names_those_there_are(monkeypatch) -> None:
    monkeypatch.setenv("RELWISE_MATMUL", "mkl")
    with pytest.raises(InputError, match=r"RELWISE_MATMUL is 'mkl'; set it to one of relwise, onednn, torch"):
        matmul.library()
    with pytest.raises(ValueError, match="choose one of relwise, onednn, torch"):
        matmul.use_library("mkl")  # pyright: ignore[reportArgumentType]


def test_without_onednn_torch_takes_its_place(monkeypatch) -> None:
    monkeypatch.setattr(matmul, "_has_onednn", lambda: False)
    matmul.use_library("onednn")
    assert matmul.library() == "torch"


@pytest.mark.parametrize("given", [(True, True), (False, False), (False, True)])
def test_on_a_gpu_bf16_is_added_up_in_float32_and_what_was_set_stands(given, monkeypatch):
    settings, names = torch.backends.cuda.matmul, ("", "_split_k")

    def found():
        return tuple(getattr(settings, f"allow_bf16_reduced_precision_reduction{name}") for name in names)

    def multiply(a, b):
        seen.append(found()[0])
        return torch.matmul(a, b)

    seen, before, inside = [], found(), matmul._sums_in_float32
    monkeypatch.setattr(matmul, "_sums_in_float32", lambda _: inside(torch.device("cuda")))
    monkeypatch.setattr(torch.Tensor, "__matmul__", multiply)
    try:
        settings.allow_bf16_reduced_precision_reduction = given
        assert matmul.product(torch.eye(2), torch.eye(2), "bf16").tolist() == [[1, 0], [0, 1]]
        assert seen == [False]
        assert found() == given
    finally:
        settings.allow_bf16_reduced_precision_reduction = before


def test_bf16_rounds_the_factors_and_adds_in_float32():
    generator = torch.Generator().manual_seed(0)
    a, b = torch.randn(40, 300, generator=generator), torch.randn(300, 20, generator=generator)
    rounded = a.bfloat16().double() @ b.bfloat16().double()
    out = matmul.product(a, b, "bf16")
    assert out.dtype == torch.float32
    torch.testing.assert_close(out.double(), rounded, rtol=2**-8, atol=1e-4)  # the result is rounded once
    assert not torch.allclose(out, a @ b, rtol=1e-5)
    assert torch.equal(matmul.product(a.double(), b.double(), "bf16"), a.double() @ b.double())
