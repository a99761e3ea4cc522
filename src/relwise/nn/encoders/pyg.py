"""PyG's layers, which the extra `[pyg]` brings."""

from __future__ import annotations

from typing import Any

from relwise.errors import InputError


def pyg_layers(encoder: str) -> Any:
    """The module `torch_geometric.nn`.

    Args:
        encoder: which encoder asks for it.

    Raises:
        InputError: where PyG is not installed.
    """
    try:
        from torch_geometric import nn
    except ImportError:
        raise InputError(
            f"encoder = {encoder} needs PyG, which is not installed", remedy="pip install 'relwise[pyg]'"
        ) from None
    return nn
