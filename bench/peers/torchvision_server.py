"""torchvision.ops.sigmoid_focal_loss, one thread, timed on request: a JSON object a line in, one out."""

import json
import sys
import time

import numpy
import torch
import torchvision
from torchvision.ops import sigmoid_focal_loss

torch.set_num_threads(1)
folder, alpha = sys.argv[1], float(sys.argv[2])
all_logits = torch.from_numpy(numpy.fromfile(f"{folder}/logits.f32", numpy.float32))
all_targets = torch.from_numpy(numpy.fromfile(f"{folder}/targets.f32", numpy.float32))


def loss(logits, targets):
    with torch.no_grad():
        return sigmoid_focal_loss(logits, targets, alpha=alpha, gamma=2, reduction="sum")


def gradient(logits, targets):
    logits.grad = None
    value = sigmoid_focal_loss(logits, targets, alpha=alpha, gamma=2, reduction="sum")
    value.backward()
    return value


print(json.dumps({"torch": torch.__version__, "torchvision": torchvision.__version__}), flush=True)
for line in sys.stdin:
    request = json.loads(line)
    length, calls = request["length"], request["calls"]
    run = {"loss": loss, "gradient": gradient}[request["kind"]]
    logits = all_logits[:length].detach().requires_grad_(request["kind"] == "gradient")
    targets = all_targets[:length]
    start = time.perf_counter()
    for _ in range(calls):
        value = run(logits, targets)
    spent = time.perf_counter() - start
    if request.get("keep"):
        logits.grad.numpy().tofile(f"{folder}/grad.f32")
    print(json.dumps({"value": value.item(), "milliseconds": 1000 * spent}), flush=True)
