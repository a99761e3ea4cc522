"""Checkpoints: one file that holds all a resumed training needs, replaced atomically, without pickle.

A safetensors file of the weights, the best weights and Adam's moments; the rest stands in its metadata as JSON.
The file is written beside its place and renamed over it, so a kill at any moment leaves a whole one.
"""

from __future__ import annotations

import json
import os
from pathlib import Path

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file

from relwise.errors import InputError
from relwise.kernels.matmul import library, use_library
from relwise.kernels.threads import settle_threads
from relwise.nn.build import prepare_edges, prepare_inputs
from relwise.train.loop import Trainer
from relwise.train.state import TrainingState

FORMAT = 4  # 2: the library of the matrix products; 3: what the sampler did; 4: other draws of dropout


def save_checkpoint(trainer: Trainer, path: Path, data: str) -> None:
    """Write where training stands.

    Args:
        trainer: after a validation.
        path: the file.
        data: the `fingerprint` of what is learnt from.
    """
    tensors = {f"model.{name}": tensor for name, tensor in trainer.model.state_dict().items()}
    tensors |= {f"best.{name}": tensor for name, tensor in trainer.best_weights.items()}
    for i, moments in trainer.optimizer.moments.items():
        tensors |= {f"adam.{i}.{name}": tensor for name, tensor in moments.items()}
    tensors |= {f"sampler.{name}": tensor for name, tensor in trainer.sampler.state().items()}
    about = {
        "format": FORMAT,
        "settings": trainer.settings.model_dump(),
        "seed": trainer.seed,
        "threads": torch.get_num_threads(),
        "matmul": library(),
        "data": data,
        "state": trainer.state.to_json(),
    }
    written = path.with_name(path.name + ".part")
    save_file(_apart(tensors), written, {"relwise": json.dumps(about)})
    os.replace(written, path)


def _apart(tensors: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    """As safetensors wants them: contiguous, and of two that share their memory (a tied parameter) one copied.

    No other is: of a large graph's tables copies would take gigabytes.
    """
    found: dict[str, torch.Tensor] = {}
    seen: set[int] = set()
    for name, tensor in tensors.items():
        whole = tensor.detach().contiguous()
        place = whole.untyped_storage().data_ptr()
        found[name] = whole.clone() if place in seen else whole
        seen.add(place)
    return found


def load_checkpoint(trainer: Trainer, path: Path, data: str) -> None:
    """Put a trainer where the checkpoint stands.

    Raises:
        InputError: where the file is damaged or newer, or was made with other settings, seed or data.
    """
    try:
        with safe_open(path, "pt") as file:
            about = json.loads(file.metadata()["relwise"])
            version = about["format"]
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    except (SafetensorError, OSError, KeyError, TypeError, json.JSONDecodeError) as error:
        raise InputError(
            f"the checkpoint cannot be read ({error})",
            where=str(path),
            remedy="delete it and train from the start",
        ) from None
    if version > FORMAT:
        raise InputError("the checkpoint is of a newer relwise", where=str(path), remedy="upgrade relwise")
    if version < FORMAT:  # its draws were others: going on with it would be neither the old training nor a new one
        raise InputError(
            "the checkpoint is of an older relwise", where=str(path), remedy="delete it and train from the start"
        )
    settings = trainer.settings.model_dump()
    for key, value in about["settings"].items():
        if settings.get(key) != value:
            raise InputError(
                f"the checkpoint was made with {key} = {value}, not {settings.get(key)}",
                where=str(path),
                remedy=f"resume with --set {key}={value}, or train into another folder",
            )
    if about["seed"] != trainer.seed:
        raise InputError(
            f"the checkpoint was made with the seed {about['seed']}, not {trainer.seed}",
            where=str(path),
            remedy=f"resume with --seed {about['seed']}, or train into another folder",
        )
    if about["data"] != data:
        raise InputError(
            "the data have changed since the checkpoint was made",
            where=str(path),
            remedy="train into another folder",
        )
    _check_weights(trainer, tensors, path)
    # Threads and library decide in which order numbers are added: keep them, for the same result to the bit.
    torch.set_num_threads(about["threads"])
    settle_threads(about["threads"])
    use_library(about["matmul"])

    def named(prefix: str) -> dict[str, torch.Tensor]:
        return {name.removeprefix(prefix): t for name, t in tensors.items() if name.startswith(prefix)}

    trainer.model.load_state_dict(named("model."))
    # The encoders' statistics came with the weights: what they prepare must come from them.
    trainer.inputs = prepare_inputs(trainer.model, trainer.graph)
    trainer.edge_inputs = prepare_edges(trainer.model, trainer.graph, trainer.split.message, trainer.adjacency)
    trainer.best_weights = named("best.")
    for i, weight in enumerate(trainer.optimizer.weights):
        moments = named(f"adam.{i}.")
        if moments:
            trainer.optimizer.moments[i] = {name: t.to(weight.device) for name, t in moments.items()}
    trainer.sampler.load_state(named("sampler."))
    trainer.state = TrainingState.from_json(about["state"])


def _check_weights(trainer: Trainer, tensors: dict[str, torch.Tensor], path: Path) -> None:
    """Equal settings make another network where another relwise builds it: told before anything is loaded."""
    stored = {name: tensor.shape for name, tensor in tensors.items() if name.startswith("model.")}
    built = {f"model.{name}": tensor.shape for name, tensor in trainer.model.state_dict().items()}
    if stored == built:
        return
    name = min(name for name in stored.keys() | built.keys() if stored.get(name) != built.get(name))
    raise InputError(
        f"the checkpoint's network is not the one that this relwise builds from its settings ({name} differs)",
        where=str(path),
        remedy="delete it and train from the start, or resume with the relwise that made it",
    )
