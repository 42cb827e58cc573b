"""How fast the latent inpainter is: all starts in one batch against one after the other, and optimisers at equal loss.

    OMP_NUM_THREADS=1 python -m benchmarks.inpainting [--out runs/inpainting] [--only timing|optimisers]

Timing: `WGANGenerator` and `WGANCritic` for 128 x 128 with random weights (time does not depend on them), a few steps
of 20 starts together and of one start alone, in turns. Single starts are alike, so 20 of them take 20 times as long.
Beside them one pass of a `ConditionalInpainter`, which needs no search.

Optimisers: a small generator for 64 x 64, fitted in about two minutes to procedural patches with a vessel by the
optimisation of its weights and of a latent for each patch together (GLO, arXiv:1707.05776), which is enough for latents
that mean something; patches that it has not seen are masked by 25 x 25 pixels. Its critic keeps random weights. Every
optimiser begins from the same starts. The curves are written to OUT/descents.png.
"""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Callable
from pathlib import Path

import torch

from monai_cardiacgen.inferers import ConditionalInpainter, LatentInpainter, box_mask
from monai_cardiacgen.inferers.latent_descent import descend
from monai_cardiacgen.networks.nets import InpaintingGenerator, WGANCritic, WGANGenerator
from monai_cardiacgen.seeding import seeded
from monai_cardiacgen.studies.heart_figures import save_figure
from monai_cardiacgen.studies.vessels.inpainting_figures import descents_figure, inpainting_figure, write_descent_gif

from .machine import describe_machine

Objective = Callable[[torch.Tensor], torch.Tensor]
_STARTS = 20


def time_starts(turns: int, steps: int) -> None:
    """Print seconds a step of 20 starts together, of one start, and of inpainting in one pass, and their ratios."""
    torch.manual_seed(0)
    conditional = ConditionalInpainter(InpaintingGenerator(2))
    inpainter = LatentInpainter(WGANGenerator(2).requires_grad_(False), WGANCritic(2).requires_grad_(False))
    image, mask = torch.rand(1, 128, 128), box_mask((128, 128))

    # Of one thread the processor's time counts, which other processes lengthen least.
    clock = time.process_time if torch.get_num_threads() == 1 else time.perf_counter

    def seconds(rows: int) -> float:
        latents = torch.randn(rows, 100)
        begin = clock()
        descend(lambda z: inpainter.loss(z, image, mask), latents, steps=steps)
        return (clock() - begin) / steps

    def one_pass() -> float:
        begin = clock()
        conditional(image, mask)
        return clock() - begin

    seconds(1), one_pass()
    rounds = [(seconds(_STARTS), seconds(1), one_pass()) for _ in range(turns)]
    together, alone, direct = (statistics.median(column) for column in zip(*rounds, strict=True))
    ratios = sorted(_STARTS * single / batch for batch, single, _ in rounds)
    print(f"128 x 128, {torch.get_num_threads()} thread(s): {together:.2f} s a step of {_STARTS} starts together, ")
    print(f"{alone:.3f} s of one alone; {_STARTS} of these take {statistics.median(ratios):.2f} times as long")
    print(f"({ratios[0]:.2f} to {ratios[-1]:.2f} over {turns} turns)")
    print(f"in one pass: {direct:.3f} s; a step of one start takes {alone / direct:.1f} times as long")


def vessel_patches(number: int, generator: torch.Generator, size: int = 64) -> torch.Tensor:
    """Draw patches `(N, 1, size, size)` in [0, 1]: tissue, a lung, a vertebra, and a bright vessel beside it."""
    rows, columns = torch.meshgrid(*[torch.arange(float(size))] * 2, indexing="ij")
    draws = torch.rand(number, 10, generator=generator)[:, :, None, None]

    def disc(row: torch.Tensor, column: torch.Tensor, radius: torch.Tensor) -> torch.Tensor:
        return torch.sigmoid((radius - ((rows - row) ** 2 + (columns - column) ** 2).sqrt()) / 0.7)

    vessel = disc(29 + 6 * draws[:, 0], 29 + 6 * draws[:, 1], 6 + 4 * draws[:, 2])
    bone = disc(48 + 6 * draws[:, 3], 16 + 8 * draws[:, 4], 11 + 3 * draws[:, 5])
    lung = torch.sigmoid((columns + (0.6 * draws[:, 6] - 0.3) * rows - 44 - 8 * draws[:, 7]) / 1.2)
    tissue = 0.35 + 0.15 * draws[:, 8] + 0.1 * (draws[:, 9] - 0.5) * rows / size
    for shape, value in ((lung, 0.06), (bone, 0.25), (vessel, 0.85)):
        tissue = torch.lerp(tissue.expand(number, size, size), torch.tensor(value), shape)
    return tissue[:, None].clamp(0, 1)


def fit_generator(patches: torch.Tensor, steps: int, latent_size: int = 32, batch: int = 32) -> WGANGenerator:
    """Return a generator fitted together with a latent for each patch."""
    torch.manual_seed(0)
    network = WGANGenerator(2, patch_size=patches.shape[-1], latent_size=latent_size, features=8)
    latents = torch.randn(len(patches), latent_size).requires_grad_()
    optimizer = torch.optim.Adam([{"params": network.parameters(), "lr": 2e-3}, {"params": [latents], "lr": 0.02}])
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, steps)
    for _ in range(steps):
        rows = torch.randint(len(patches), (batch,))
        given = latents[rows]
        loss = (network(given) - patches[rows]).abs().mean() + 1e-3 * given.square().mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        schedule.step()
    print(f"generator fitted: mean absolute difference {(network(given) - patches[rows]).abs().mean().item():.4f}")
    with torch.no_grad():  # standard normal latents, as the search draws them
        mean, factor = latents.mean(dim=0), torch.linalg.cholesky(latents.T.cov() + 1e-4 * torch.eye(latent_size))
        linear = network.input[0]
        linear.bias += linear.weight @ mean
        linear.weight.copy_(linear.weight @ factor)
    return network.requires_grad_(False)


def adam(objective: Objective, start: torch.Tensor, evaluations: int, schedule: str) -> torch.Tensor:
    """Return losses `(S, evaluations)` of Adam with a schedule of torch."""
    latents = start.clone().requires_grad_()
    optimizer = torch.optim.Adam([latents], lr=0.05)
    schedules = {
        "cosine": lambda: torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, evaluations),
        "restarts": lambda: torch.optim.lr_scheduler.CosineAnnealingWarmRestarts(optimizer, 100, 2),
    }
    rates = schedules[schedule]()
    trace = []
    for _ in range(evaluations):
        losses = objective(latents)
        latents.grad = torch.autograd.grad(losses.sum(), latents)[0]
        optimizer.step()
        rates.step()
        trace.append(losses.detach())
    return torch.stack(trace, dim=1)


def lbfgs(objective: Objective, start: torch.Tensor, evaluations: int) -> torch.Tensor:
    """Return losses `(S, evaluations)` of L-BFGS with strong Wolfe line search on the sum of the starts' losses."""
    latents = start.clone().requires_grad_()
    trace: list[torch.Tensor] = []

    def closure() -> torch.Tensor:
        losses = objective(latents)
        latents.grad = torch.autograd.grad(losses.sum(), latents)[0]
        trace.append(losses.detach())
        return losses.sum()

    while len(trace) < evaluations:
        made = len(trace)
        torch.optim.LBFGS(
            [latents], max_iter=evaluations, max_eval=evaluations - made, history_size=20, line_search_fn="strong_wolfe"
        ).step(closure)
        if len(trace) - made < 10:  # a fresh memory no longer helps
            break
    trace += [trace[-1]] * (evaluations - len(trace))
    return torch.stack(trace[:evaluations], dim=1)


def optimisers(objective: Objective, start: torch.Tensor, evaluations: int) -> dict[str, Callable[[], torch.Tensor]]:
    """Return by name what gives the losses `(S, evaluations or fewer)` on the way from a start."""
    return {
        "Adam, rate halved for each start (ours)": lambda: descend(objective, start, evaluations).trace,
        f"Adam, cosine over {evaluations}": lambda: adam(objective, start, evaluations, "cosine"),
        f"Adam, cosine over {evaluations // 4}": lambda: adam(objective, start, evaluations // 4, "cosine"),
        "Adam, cosine with warm restarts": lambda: adam(objective, start, evaluations, "restarts"),
        "L-BFGS, strong Wolfe, each start": lambda: torch.cat(
            [lbfgs(objective, row[None], evaluations) for row in start]
        ),
        "L-BFGS, strong Wolfe, sum of starts": lambda: lbfgs(objective, start, evaluations),
    }


def compare_optimisers(out: Path, evaluations: int, fitting: int, images: int) -> None:
    """Print the evaluations and seconds to equal loss, and write the curves and the pictures of one image."""
    patches = vessel_patches(600, seeded(0))
    network = fit_generator(patches[: -2 * images], fitting)
    torch.manual_seed(1)
    critic = WGANCritic(2, patch_size=64, features=8).requires_grad_(False)
    mask = box_mask((64, 64))
    inpainter = LatentInpainter(network, critic, latent_size=32, steps=evaluations)
    traces: dict[str, list[torch.Tensor]] = {}
    spent: dict[str, float] = {}
    for number in range(images):
        image = patches[-1 - number]
        begun = LatentInpainter(network, critic, latent_size=32, steps=1)(image, mask, seeded(number)).path[:, 0]

        def objective(latents: torch.Tensor, image: torch.Tensor = image) -> torch.Tensor:
            return inpainter.loss(latents, image, mask)

        for name, way in optimisers(objective, begun, evaluations).items():
            begin = time.perf_counter()
            trace = way().nan_to_num(nan=float("inf"))
            spent[name] = spent.get(name, 0.0) + time.perf_counter() - begin
            traces.setdefault(name, []).append(trace.cummin(dim=1).values)
    curves = {
        name: torch.cat([torch.nn.functional.pad(one, (0, evaluations - one.shape[1]), "replicate") for one in parts])
        for name, parts in traces.items()
    }
    medians = {name: losses.median(dim=0).values for name, losses in curves.items()}
    aim = 1.02 * float(next(value for name, value in medians.items() if "cosine over" in name)[-1])
    print(f"{images} images, {_STARTS} starts each; evaluations until the median loss is {aim:.4f}:")
    for name, median in medians.items():
        reached = torch.nonzero(median <= aim)
        first = str(int(reached[0]) + 1) if len(reached) else "never"
        best = torch.stack([one[:, -1].min() for one in traces[name]]).mean()
        print(
            f"  {name}: {first}; at the end median {median[-1]:.4f}, best start {best:.4f}; {spent[name]:.0f} s in all"
        )
    axis = torch.arange(1, evaluations + 1).tolist()
    shown = {name: (axis, median.tolist()) for name, median in medians.items()}
    title = f"64 x 64 patches, 25 x 25 masked, {images} images x {_STARTS} starts"
    save_figure(out / "descents.png", descents_figure(shown, title))
    show_one(inpainter, patches[-1 - images], mask, out)


def show_one(inpainter: LatentInpainter, healthy: torch.Tensor, mask: torch.Tensor, out: Path) -> None:
    """Write the figure and the GIF of one image with a planted aneurysm."""
    rows, columns = torch.meshgrid(*[torch.arange(64.0)] * 2, indexing="ij")
    sick = healthy.clone()
    sick[0][(rows - 38) ** 2 + (columns - 38) ** 2 < 4.5**2] = 0.85
    found = inpainter(sick, mask, seeded(0))
    save_figure(out / "inpainting.png", inpainting_figure(sick, found, inpainter, "A bright bulge, planted, is masked"))
    write_descent_gif(out / "descent.gif", sick, found, inpainter, "Descent")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, default=Path("runs/inpainting"))
    parser.add_argument("--only", choices=("timing", "optimisers"))
    parser.add_argument("--turns", type=int, default=5)
    parser.add_argument("--steps", type=int, default=3, help="timed steps")
    parser.add_argument("--evaluations", type=int, default=1000, help="of the generator by every optimiser")
    parser.add_argument("--fitting", type=int, default=1500, help="steps by which the small generator is fitted")
    parser.add_argument("--images", type=int, default=2)
    args = parser.parse_args()
    print("; ".join(f"{name} {value}" for name, value in describe_machine(torch.device("cpu")).items()))
    if args.only != "optimisers":
        time_starts(args.turns, args.steps)
    if args.only != "timing":
        compare_optimisers(args.out, args.evaluations, args.fitting, args.images)


if __name__ == "__main__":
    main()
