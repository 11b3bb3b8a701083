"""A peer that Python has, timed on request: a JSON object a line in, one out.

    python_server.py PEER THREADS FOLDER ALPHA

PEER is torchvision (eager), torch.compile (of torchvision's loss) or optax (under jit); THREADS is 1 or the number of all.
"""

import json
import os
import sys
import time

PEER, THREADS, FOLDER, ALPHA = sys.argv[1], int(sys.argv[2]), sys.argv[3], float(sys.argv[4])
if THREADS == 1:
    # before anything counts the processors
    os.environ["OMP_NUM_THREADS"] = "1"
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})

import numpy  # noqa: E402

LOGITS = numpy.fromfile(f"{FOLDER}/logits.f32", numpy.float32)
TARGETS = numpy.fromfile(f"{FOLDER}/targets.f32", numpy.float32)


class Torch:
    def __init__(self, compiled):
        import torch
        import torchvision
        from torchvision.ops import sigmoid_focal_loss

        if compiled and not hasattr(torch, "compile"):
            raise RuntimeError(f"torch {torch.__version__} has no torch.compile")
        torch.set_num_threads(THREADS)
        self.torch = torch
        self.version = f"{torchvision.__version__} on torch {torch.__version__}"

        def loss(logits, targets):
            return sigmoid_focal_loss(logits, targets, alpha=ALPHA, gamma=2, reduction="sum")

        # a length of its own for each: a program for any length is slower
        self.function = torch.compile(loss, dynamic=False) if compiled else loss
        if compiled:
            torch._dynamo.config.recompile_limit = 64

    def inputs(self, length):
        return tuple(self.torch.from_numpy(array[:length]) for array in (LOGITS, TARGETS))

    def loss(self, logits, targets):
        with self.torch.no_grad():
            return self.function(logits, targets)

    def gradient(self, logits, targets):
        logits = logits.detach().requires_grad_(True)
        value = self.function(logits, targets)
        value.backward()
        return value.detach(), logits.grad


class Optax:
    def __init__(self):
        os.environ.setdefault("JAX_PLATFORMS", "cpu")
        import jax
        import optax

        self.jax = jax
        self.version = f"{optax.__version__} on JAX {jax.__version__}"

        def loss(logits, targets):
            return optax.losses.sigmoid_focal_loss(logits, targets, alpha=ALPHA, gamma=2).sum()

        self.compiled = jax.jit(loss)
        self.both = jax.jit(jax.value_and_grad(loss))

    def inputs(self, length):
        return tuple(self.jax.device_put(array[:length]) for array in (LOGITS, TARGETS))

    def loss(self, logits, targets):
        return self.compiled(logits, targets).block_until_ready()

    def gradient(self, logits, targets):
        return self.jax.block_until_ready(self.both(logits, targets))


try:
    peer = {"torchvision": lambda: Torch(False), "torch.compile": lambda: Torch(True), "optax": Optax}[PEER]()
except (ImportError, RuntimeError) as error:
    print(json.dumps({"error": f"{type(error).__name__}: {error}"}), flush=True)
    sys.exit(1)
print(json.dumps({"version": peer.version}), flush=True)
for line in sys.stdin:
    request = json.loads(line)
    arrays = peer.inputs(request["length"])
    gradient = request["kind"] == "gradient"
    run = peer.gradient if gradient else peer.loss
    try:
        start = time.perf_counter()
        for _ in range(request["calls"]):
            result = run(*arrays)
        spent = time.perf_counter() - start
    except Exception as error:  # of a compiler that lacks a C++ compiler, say
        print(json.dumps({"error": f"{type(error).__name__}: {error}"}), flush=True)
        continue
    if request.get("keep"):
        numpy.asarray(result[1]).tofile(f"{FOLDER}/grad.f32")
    value = float(result[0] if gradient else result)
    print(json.dumps({"value": value, "milliseconds": 1000 * spent}), flush=True)
