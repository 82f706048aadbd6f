"""Train a network on the digits of scikit-learn with EF21-Muon in two processes; ten seconds or so.

Each process has half of the training data. Matrices travel as four pairs of vectors to the server, and as
their 800 largest changes back; biases travel whole.
"""

import tempfile

import torch
import torch.distributed as dist
import torch.multiprocessing as mp
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split
from torch import nn

from workbench.compressors import RankK, TopK
from workbench.optim import EF21Muon, groups_for

WORKERS, EPOCHS = 2, 10


def train(rank, folder):
    """One process: a worker, and rank 0 the server as well."""
    torch.set_num_threads(1)
    dist.init_process_group("gloo", init_method=f"file://{folder}/store", rank=rank, world_size=WORKERS)
    pixels, labels = load_digits(return_X_y=True)
    split = train_test_split((pixels / 16).astype("float32"), labels, test_size=0.3, random_state=0)
    x, x_test, y, y_test = map(torch.tensor, split)
    share = len(x) // WORKERS  # as many steps on every rank
    x, y = (part[rank * share : (rank + 1) * share] for part in (x, y))

    torch.manual_seed(0)  # the same model on every rank
    model = nn.Sequential(nn.Linear(64, 128), nn.ReLU(), nn.Linear(128, 128), nn.ReLU(), nn.Linear(128, 10))
    groups = groups_for(model, output="4", radii={"output": 10.0})
    for group in groups:
        if group["norm"] != "bias":
            group |= {"worker_compressor": RankK(4), "server_compressor": TopK(800)}
    optimizer = EF21Muon(groups, lr=0.05, beta=0.9, workers=WORKERS, contracts_in="frobenius")
    per_epoch = len(x.split(32))
    decay = torch.optim.lr_scheduler.LinearLR(optimizer, 1.0, 0.0, total_iters=EPOCHS * per_epoch + 1)

    torch.manual_seed(rank)  # its own batches
    for _ in range(EPOCHS):
        for batch in torch.randperm(len(x)).split(32):
            optimizer.zero_grad()
            nn.functional.cross_entropy(model(x[batch]), y[batch]).backward()
            optimizer.step()
            decay.step()
    if rank == 0:
        right = (model(x_test).argmax(dim=1) == y_test).double().mean()
        bytes_of_a_step = optimizer.received.up, optimizer.sent.down
        print(f"right {right:.3f}, bytes up {bytes_of_a_step[0]}, down {bytes_of_a_step[1]}")
        print(f"without compression {optimizer.whole_bytes} each way")
    torch.save((model.state_dict(), optimizer.state_dict()), f"{folder}/rank{rank}.pt")
    dist.destroy_process_group()


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as folder:
        mp.spawn(train, (folder,), nprocs=WORKERS)
