"""ONNX Runtime, which runs the networks: it starts sooner than most maps take to search."""

import os
from typing import Any

__all__ = ["session"]


def session(content: bytes) -> Any:
    """Return a session that runs a graph on the CPUs that this process may use."""
    import onnxruntime

    options = onnxruntime.SessionOptions()
    threads = int(os.environ.get("OMP_NUM_THREADS") or len(os.sched_getaffinity(0)))
    options.intra_op_num_threads = threads
    options.log_severity_level = 3
    # Idle threads must not spin: a map is searched by processes, not by threads.
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    return onnxruntime.InferenceSession(content, options, providers=["CPUExecutionProvider"])
