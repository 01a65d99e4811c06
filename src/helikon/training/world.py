"""The processes that train together, whatever started them.

The loop asks three things of a world: join a module so that gradients are
averaged, agree on numbers, and wait for each other.
"""

import dataclasses
import os
from collections.abc import Mapping
from typing import Any, Protocol

import torch
from torch import nn
from torch.nn.parallel import DistributedDataParallel

from helikon.errors import Missing

__all__ = ["Alone", "Torchrun", "World", "find_world", "moved"]


class World(Protocol):
    """All processes of one training run.

    Attributes
    ----------
    rank : int
        Of this process, from 0.
    size : int
        How many there are.
    device : torch.device
        Where this one computes.
    """

    rank: int
    size: int
    device: torch.device

    def join(self, module: nn.Module, *, find_unused_parameters: bool = False) -> nn.Module:
        """Return a module whose gradients are averaged over the world."""
        ...

    def highest(self, values: list[float]) -> list[float]:
        """Return the largest over the world of each value; all processes must call it."""
        ...

    def mean(self, values: list[float]) -> list[float]:
        """Return the mean over the world of each value; all processes must call it."""
        ...

    def close(self) -> None:
        """Wait for all, and part."""
        ...


class Alone:
    """A world of one process."""

    rank = 0
    size = 1

    def __init__(self) -> None:
        self.device = _device()

    def join(self, module: nn.Module, *, find_unused_parameters: bool = False) -> nn.Module:
        """Return the module."""
        return module

    def highest(self, values: list[float]) -> list[float]:
        """Return the values."""
        return values

    def mean(self, values: list[float]) -> list[float]:
        """Return the values."""
        return values

    def close(self) -> None:
        """Do nothing."""


class Torchrun:
    """Processes that torchrun started: gloo on CPUs, NCCL on GPUs of their own.

    Where there are more processes than GPUs several share one, and gradients go
    over gloo, for NCCL refuses two processes on one GPU. It pays where making a
    batch or launching its kernels keeps a CPU core busier than its GPU.
    """

    def __init__(self) -> None:
        self.device = _device()
        # Numbers are agreed on over gloo, so that a step does not wait for the GPU's queue.
        torch.distributed.init_process_group("cpu:gloo,cuda:nccl" if _has_own_gpu(self.device) else "gloo")
        self.rank = torch.distributed.get_rank()
        self.size = torch.distributed.get_world_size()

    def join(self, module: nn.Module, *, find_unused_parameters: bool = False) -> nn.Module:
        """Wrap the module in DistributedDataParallel."""
        if not any(parameter.requires_grad for parameter in module.parameters()):
            return module
        devices = [self.device] if self.device.type == "cuda" else None
        return DistributedDataParallel(
            module, device_ids=devices, find_unused_parameters=find_unused_parameters
        )

    def highest(self, values: list[float]) -> list[float]:
        """Return the largest of each value."""
        return self._reduced(values, torch.distributed.ReduceOp.MAX)

    def mean(self, values: list[float]) -> list[float]:
        """Return the mean of each value."""
        return [total / self.size for total in self._reduced(values, torch.distributed.ReduceOp.SUM)]

    def close(self) -> None:
        """Wait for all, and destroy the group."""
        torch.distributed.barrier()
        torch.distributed.destroy_process_group()

    def _reduced(self, values: list[float], operation: torch.distributed.ReduceOp.RedOpType) -> list[float]:
        tensor = torch.tensor(values, dtype=torch.float64)
        torch.distributed.all_reduce(tensor, operation)
        return [float(value) for value in tensor]


def find_world() -> World:
    """Return the world that whoever started this process made.

    Raises
    ------
    Missing
        If horovodrun started it, for the loop cannot join it yet.
    """
    if "HOROVOD_RANK" in os.environ:
        raise Missing("the engine horovod is not available", next_step="train with the engine torchrun")
    return Torchrun() if "TORCHELASTIC_RUN_ID" in os.environ else Alone()


def moved(value: Any, device: torch.device) -> Any:
    """Move the tensors in lists, tuples, dictionaries and dataclasses to a device."""
    if isinstance(value, torch.Tensor):
        return value.to(device, non_blocking=True)
    if isinstance(value, Mapping):
        return {key: moved(item, device) for key, item in value.items()}
    if isinstance(value, list | tuple) and not hasattr(value, "_fields"):
        return type(value)(moved(item, device) for item in value)
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        fields = {field.name: getattr(value, field.name) for field in dataclasses.fields(value)}
        return dataclasses.replace(value, **moved(fields, device))
    return value


def _has_own_gpu(device: torch.device) -> bool:
    n_here = int(os.environ.get("LOCAL_WORLD_SIZE", "1"))
    return device.type == "cuda" and n_here <= torch.cuda.device_count()


def _device() -> torch.device:
    if not torch.cuda.is_available():
        return torch.device("cpu")
    device = torch.device("cuda", int(os.environ.get("LOCAL_RANK", "0")) % torch.cuda.device_count())
    torch.cuda.set_device(device)
    return device
