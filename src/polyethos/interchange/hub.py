"""A repository of vectors in the hub's layout: our file, a control vector per value, and a card."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import xarray as xr
from huggingface_hub import HfApi, hf_hub_download
from huggingface_hub.errors import HfHubHTTPError, HFValidationError

from polyethos.arrays import LANGUAGE, LAYER, VALUE
from polyethos.errors import DataError
from polyethos.files import write_text
from polyethos.interchange.export import export_vectors
from polyethos.representation.model import LanguageModel
from polyethos.representation.vectors import load_vectors, save_vectors

VECTORS_FILE, CARD_FILE, CONTROL_FOLDER = "vectors.safetensors", "README.md", "gguf"


def write_repository(folder: Path, vectors: xr.DataArray, metadata: Mapping[str, Any], *, source: str = "en") -> Path:
    """Write vectors, a control vector of each value, and a card into a folder.

    Args:
        folder: the repository; made where it is not there.
        vectors: (value, language, layer, hidden).
        metadata: of the vectors.
        source: language, or "pooled", of the control vectors.

    Returns:
        The folder.
    """
    save_vectors(folder / VECTORS_FILE, vectors, metadata)
    values = vectors[VALUE].values.tolist()
    for value in values:
        with warnings.catch_warnings():
            # The card says that layer 1 is left out.
            warnings.simplefilter("ignore")
            export_vectors(vectors, metadata, format="gguf", value=value, source=source, folder=folder / CONTROL_FOLDER)
    write_text(folder / CARD_FILE, _card(vectors, metadata, source))
    return folder


def push_repository(folder: Path, repository: str, *, private: bool = True) -> str:
    """Upload a folder made by `write_repository` to the Hugging Face hub; needs a login there.

    Returns:
        The address of the commit.

    Raises:
        DataError: the hub refuses.
    """
    api = HfApi()
    try:
        api.create_repo(repository, private=private, exist_ok=True)
        return str(api.upload_folder(repo_id=repository, folder_path=folder))
    except (HfHubHTTPError, HFValidationError, OSError) as error:
        raise DataError(
            f"{repository}: the hub refused ({error}); log in with `hf auth login`, or check the name"
        ) from error


def load_repository(
    repository: str | Path, *, model: LanguageModel | None = None, revision: str | None = None
) -> tuple[xr.DataArray, dict[str, Any]]:
    """Vectors and metadata from a local folder or a hub repository.

    Args:
        repository: folder, or hub id "owner/name".
        model: the model they shall be used with; another one is refused.
        revision: branch, tag or commit on the hub.

    Raises:
        DataError: there is no such repository, or no vectors in it.
        WrongModelError: the vectors are for another model.
    """
    folder = Path(repository)
    if folder.is_dir():
        return load_vectors(folder / VECTORS_FILE, model)
    try:
        path = hf_hub_download(str(repository), VECTORS_FILE, revision=revision)
    except (HfHubHTTPError, HFValidationError, OSError) as error:
        raise DataError(
            f"{repository}: no vectors there ({str(error).splitlines()[0]}); expected a folder with {VECTORS_FILE}, "
            "or a hub id owner/name"
        ) from error
    return load_vectors(Path(path), model)


def _card(vectors: xr.DataArray, metadata: Mapping[str, Any], source: str) -> str:
    model = metadata["model"]
    values, languages = vectors[VALUE].values.tolist(), vectors[LANGUAGE].values.tolist()
    layers = vectors[LAYER].values.tolist()
    base = f"base_model: {model['model']}\n" if "/" in str(model["model"]) else ""
    return (
        f"---\nlibrary_name: polyethos\n{base}language: [{', '.join(languages)}]\n"
        "tags: [steering-vectors, representation-engineering, value-alignment]\n---\n"
        f"# Concept vectors of {model['model']}\n\n"
        f"Directions of {', '.join(values)} in {len(languages)} languages, at the outputs of blocks {layers[0]} to "
        f"{layers[-1]} of {model['n_layers']}.\n\n"
        "| | |\n|---|---|\n"
        f"| model | {model['model']}, revision `{model['revision']}` |\n"
        f"| architecture | {model['architecture']}, width {model['hidden_size']} |\n"
        f"| method | {metadata['direction']}, protocol {metadata['protocol']} |\n"
        f"| data, SHA-256 | `{metadata['data_hash']}` |\n\n"
        f"`{VECTORS_FILE}` holds all of them. `{CONTROL_FOLDER}/` holds control vectors for llama.cpp, repeng and "
        f"EasySteer, source language {source}, scaled so that coefficient 1 is the layer's mean residual norm; layer 1 "
        "is left out there, because llama.cpp cannot steer it. Positive coefficients uphold the value.\n\n"
        "```python\nfrom polyethos.interchange.hub import load_repository\n\n"
        'vectors, metadata = load_repository("owner/name", model=model)\n```\n\n'
        "Steering away from a value is for red-teaming and for measuring how well a model holds it. These vectors are "
        "no safeguard: whoever has the weights can also steer the other way.\n"
    )
