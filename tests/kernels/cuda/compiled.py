"""Compile the kernels of a launch for a GPU, as the launch would, without one."""

from __future__ import annotations

from typing import Any

import torch
import triton
from triton.backends.compiler import GPUTarget
from triton.compiler import ASTSource

TYPES = {
    torch.float64: "fp64",
    torch.float32: "fp32",
    torch.bfloat16: "bf16",
    torch.int64: "i64",
    torch.int32: "i32",
    torch.bool: "i1",
}


class Compiler:
    """Stands in for `launch`: compiles each kernel instead of running it, and keeps the results by name."""

    def __init__(self, capability: int) -> None:
        self.target = GPUTarget("cuda", capability, 32)
        self.kernels: dict[str, Any] = {}

    def __call__(self, kernel: Any, grid: tuple[int, ...], *arguments: Any, **meta: Any) -> None:
        options = {"num_warps": meta.pop("num_warps")}
        given = dict(zip(kernel.arg_names, arguments, strict=False)) | meta
        signature, constants, attributes = {}, {}, {}
        for place, parameter in enumerate(kernel.params):
            name, value = parameter.name, given[parameter.name]
            if parameter.is_constexpr:
                signature[name], constants[name] = "constexpr", value
                continue
            signature[name] = f"*{TYPES[value.dtype]}" if isinstance(value, torch.Tensor) else "i32"
            signature[name] = parameter.annotation_type or signature[name]
            aligned = isinstance(value, torch.Tensor) or value % 16 == 0
            if aligned and not parameter.do_not_specialize:
                attributes[(place,)] = [["tt.divisibility", 16]]
        source = ASTSource(kernel, signature, constants, attributes)
        self.kernels[kernel.__name__] = triton.compile(source, target=self.target, options=options)
