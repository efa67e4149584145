"""`polyethos lab`: small models trained under controlled mixtures of languages."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from polyethos.cli.advising import advise
from polyethos.cli.options import Quiet
from polyethos.cli.progress import quiet_libraries
from polyethos.cli.sweeping import sweep

if TYPE_CHECKING:
    from polyethos.lab.training import Progress

lab_app = typer.Typer(no_args_is_help=True, help="Train small models under controlled mixtures of languages.")


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
    size: Annotated[
        str | None, typer.Option(help="tiny, pocket or large.", show_default="pocket, or that of --start")
    ] = None,
    text: Annotated[
        Path | None, typer.Option(help="Train on this text instead of the small world.", show_default=False)
    ] = None,
    epochs: Annotated[float, typer.Option(help="How often a language's text may be repeated.")] = 4.0,
    dialogue_languages: Annotated[
        str | None,
        typer.Option(
            help="Languages with requests and replies, such as en,fi; or none.",
            show_default="the pocket model's, or all",
        ),
    ] = None,
    start: Annotated[
        str | None,
        typer.Option(help="Go on from this finished run or pocket model: a second stage.", show_default=False),
    ] = None,
    dialogues_only: Annotated[
        bool, typer.Option("--dialogues-only", help="Second stage on requests and replies, in the mixture's languages.")
    ] = False,
    device: Annotated[str, typer.Option(help="auto, cpu or cuda.")] = "auto",
    quiet: Quiet = False,
) -> None:
    """Pre-train a small model under a mixture of languages; a killed run goes on with the same command.

    [bold]Examples[/bold]

      polyethos lab pretrain --mixture pocket-balanced --out balanced

      polyethos lab pretrain --mixture en=0.9,fi=0.1 --text my-texts --out mine

      polyethos lab pretrain --start balanced --mixture en=1 --dialogues-only --out answering
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
            mixture,
            out,
            tokens=tokens,
            seed=seed,
            size=size,
            text=text,
            epochs=epochs,
            dialogue_languages=_codes(dialogue_languages),
            start=start,
            dialogues_only=dialogues_only,
            device=device,
            report=None if quiet else tell,
        )
    if not quiet:
        print(f"The model, with its card: {folder}\nStudy it: polyethos run --model {folder} --data microworld")


def _codes(written: str | None) -> list[str] | None:
    if written is None or written == "none":
        return None if written is None else []
    return [code.strip() for code in written.split(",")]


lab_app.command("sweep")(sweep)
lab_app.command("advise")(advise)
