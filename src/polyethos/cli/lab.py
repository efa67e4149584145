"""`polyethos lab`: small models trained under controlled mixtures of languages."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from polyethos.cli.options import Quiet
from polyethos.cli.progress import quiet_libraries

if TYPE_CHECKING:
    from polyethos.lab.training import Progress

lab_app = typer.Typer(no_args_is_help=True, help="Train small models under controlled mixtures of languages.")


@lab_app.callback()
def _lab() -> None:
    """Keep `pretrain` a command of its own, also while it is the only one."""


@lab_app.command("pretrain")
def pretrain(
    mixture: Annotated[
        str, typer.Option("--mixture", "-m", help="pocket-en, pocket-zh-en, pocket-balanced, a file, or en=0.9,fi=0.1.")
    ],
    out: Annotated[Path, typer.Option("--out", "-o", help="Folder of the run.")],
    tokens: Annotated[
        int | None, typer.Option(help="Training tokens in all.", show_default="the pocket model's, or 8 million")
    ] = None,
    seed: Annotated[int, typer.Option(help="Decides weights and data.")] = 0,
    size: Annotated[str, typer.Option(help="tiny, pocket or large.")] = "pocket",
    text: Annotated[
        Path | None, typer.Option(help="Train on this text instead of the small world.", show_default=False)
    ] = None,
    device: Annotated[str, typer.Option(help="auto, cpu or cuda.")] = "auto",
    quiet: Quiet = False,
) -> None:
    """Pre-train a small model under a mixture of languages; a killed run goes on with the same command.

    [bold]Examples[/bold]

      polyethos lab pretrain --mixture pocket-balanced --out balanced

      polyethos lab pretrain --mixture en=0.9,fi=0.1 --text my-texts --out mine
    """
    from rich.console import Console

    from polyethos.lab.pretraining import pretrain as run_pretraining

    console = Console(stderr=True)
    with quiet_libraries(), console.status("preparing", spinner="line") as status:

        def tell(progress: Progress) -> None:
            losses = " ".join(f"{language} {loss:.2f}" for language, loss in progress.losses.items())
            status.update(
                f"step {progress.step:,} of {progress.steps:,}, {progress.tokens_per_second:,.0f} tokens/s, "
                f"{progress.seconds_left / 60:.0f} min left; loss {losses}"
            )

        folder = run_pretraining(
            mixture, out, tokens=tokens, seed=seed, size=size, text=text, device=device, report=None if quiet else tell
        )
    if not quiet:
        print(f"The model, with its card: {folder}\nStudy it: polyethos run --model {folder} --data microworld")
