"""`polyethos steer` and `polyethos export`: use the vectors of a finished run."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from polyethos.cli.options import numbers_of
from polyethos.cli.progress import quiet_libraries

RunFolder = Annotated[Path, typer.Argument(help="Folder of a finished run of one model.")]
Value = Annotated[str, typer.Option(help="Which value.")]


def steer(
    run: RunFolder,
    prompt: Annotated[list[str], typer.Option("--prompt", "-p", help="What to ask; may be repeated.")],
    value: Value = "harmfulness",
    source: Annotated[str, typer.Option(help="Language of the vector.")] = "en",
    layer: Annotated[
        int | None, typer.Option(help="Block that is edited.", show_default="the one the run chose")
    ] = None,
    strength: Annotated[
        float, typer.Option(help="Share of the layer's mean residual norm; negative: away from the value.")
    ] = 0.2,
    operator: Annotated[str, typer.Option(help="add, ablate, clamp or rotate.")] = "add",
    scope: Annotated[str, typer.Option(help="all, prompt, generated or last-prompt.")] = "all",
    tokens: Annotated[int, typer.Option(help="Length of the answers.", min=1)] = 48,
) -> None:
    """Show plain and steered answers side by side.

    [bold]Example[/bold]

      polyethos steer my-run --value harmfulness --source en --strength -0.3 --prompt "Explain how to repair a car."
    """
    from rich.console import Console
    from rich.markup import escape
    from rich.table import Table

    from polyethos.control.generation import side_by_side
    from polyethos.control.operators import Intervention

    with quiet_libraries():
        model, vector, norm, chosen = _vector(run, value, source, layer)
        # The names are checked where they are used, with the closest match in the message.
        words: dict[str, Any] = {"operator": operator, "scope": scope}
        push = Intervention(layer=chosen, vector=vector, strength=strength, norm=norm, **words)
        answers = side_by_side(model, prompt, [push], max_new_tokens=tokens)
    table = Table("prompt", "plain", f"{operator} {strength:+g} at layer {chosen}", show_lines=True)
    for answer in answers:
        table.add_row(escape(answer.prompt), escape(answer.plain), escape(answer.steered))
    Console().print(table)
    units = {"add": f"{strength:+g} of the states' mean length there, {norm:.3g}", "rotate": f"{strength:+g} radians"}
    Console().print(
        f"Strength: {units.get(operator, f'{strength:+g} of the way')}. Answers end after {tokens} tokens (--tokens). "
        "What a random direction would have done: polyethos control."
    )


def _vector(run: Path, value: str, source: str, layer: int | None) -> tuple[Any, Any, float, int]:
    """Model, vector, residual norm and layer that a run gives for steering."""
    from polyethos.errors import SteeringError, UnknownNameError
    from polyethos.representation.vectors import load_vectors
    from polyethos.study import Study, open_run
    from polyethos.study.folder import VECTORS_FILE
    from polyethos.study.running import load_chosen_model

    finished = open_run(run)
    vectors = finished.vectors
    for kind, name, known in (("value", value, vectors["value"]), ("language", source, vectors["language"])):
        if name not in known.values:
            raise UnknownNameError.of(kind, name, [str(label) for label in known.values], str(run))
    if layer is None:
        folds = finished.results.get("chosen_layer")
        layer = int(vectors["layer"].median() if folds is None else folds.sel(value=value).median())
    if layer not in vectors["layer"].values:
        raise UnknownNameError(f"{run}: no layer {layer}; expected 1 to {vectors.sizes['layer']}")
    study = Study(**finished.study["study"])
    if study.protocol == "paper" and layer == vectors.sizes["layer"]:
        raise SteeringError(f"{run}: protocol paper reads layer {layer} after the final norm; choose another --layer")
    model = load_chosen_model(study, study.models[0])
    _, metadata = load_vectors(run / VECTORS_FILE, model)
    chosen = vectors.sel(value=value, language=source, layer=layer).values
    return model, chosen, float(metadata["residual_norms"][value][layer - 1]), layer


def export(
    run: RunFolder,
    value: Value,
    format: Annotated[str, typer.Option(help="gguf, repeng, easysteer, lm-eval or safetensors.")] = "gguf",
    source: Annotated[str, typer.Option(help="Language of the vectors, or pooled for the mean.")] = "en",
    layers: Annotated[str | None, typer.Option(help="For instance 10-20 or 4,8,12.", show_default="all")] = None,
    scale: Annotated[str, typer.Option(help="norm: of the residual stream's length; raw: as fitted.")] = "norm",
    strength: Annotated[float, typer.Option(help="What the vectors are multiplied by.")] = 1.0,
    action: Annotated[str, typer.Option(help="add, or for lm-eval also ablate.")] = "add",
    out: Annotated[Path, typer.Option("--out", "-o", help="Folder of the file.")] = Path(),
) -> None:
    """Write the vectors of a run for llama.cpp, repeng, EasySteer, lm-evaluation-harness or as safetensors.

    [bold]Example[/bold]

      polyethos export my-run --value harmfulness --source en --format gguf
    """
    from polyethos.interchange.export import export_vectors
    from polyethos.representation.vectors import load_vectors
    from polyethos.study import open_run
    from polyethos.study.folder import VECTORS_FILE

    vectors, metadata = load_vectors(open_run(run).path / VECTORS_FILE)
    words: dict[str, Any] = {"format": format, "scale": scale, "action": action}
    path = export_vectors(
        vectors,
        metadata,
        value=value,
        source=source,
        folder=out,
        layers=numbers_of(layers),
        strength=strength,
        **words,
    )
    print(path)
