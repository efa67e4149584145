"""A study: which models, which data, which protocol; from Python, a TOML file or command-line flags."""

from __future__ import annotations

import hashlib
import json
import tomllib
from pathlib import Path
from typing import Any, Literal, Self

from pydantic import BaseModel, ByteSize, ConfigDict, Field, ValidationError, field_validator, model_validator

from polyethos.dataset.languages import language
from polyethos.dataset.values import value
from polyethos.errors import DataError, InvalidStudyError, UnknownNameError
from polyethos.lab.pocket import pocket_models
from polyethos.representation.directions import DIRECTIONS
from polyethos.representation.tokens import Position
from polyethos.study.presets import PRESET_SERIES, PRESETS, series_of

Protocol = Literal["corrected", "paper"]


class _Checked(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")

    def __init__(self, **fields: Any) -> None:  # noqa: ANN401
        try:
            super().__init__(**fields)
        except ValidationError as error:
            raise InvalidStudyError(_in_one_line(error)) from error


class ModelChoice(_Checked):
    """One model of a study.

    Attributes:
        name: hub id, local folder, preset ("llama2-chat-7b", ...) or bundled pocket model.
        revision: branch, tag or commit on the hub.
        template: "auto" (the paper's in protocol "paper"; otherwise the tokenizer's chat template if it has one,
            else bare), "chat", "bare", or a text with `{input}`.
        series: "llama2", "qwen" or "bloomz"; found from the name where not given.
    """

    name: str = Field(min_length=1)
    revision: str | None = None
    template: str = "auto"
    series: Literal["llama2", "qwen", "bloomz"] | None = None

    @field_validator("template")
    @classmethod
    def _has_input(cls, template: str) -> str:
        if template not in ("auto", "chat", "bare") and "{input}" not in template:
            raise ValueError("expected auto, chat, bare, or a text that contains {input}")
        return template

    @property
    def is_pocket(self) -> bool:
        """Whether this is a model bundled with the package."""
        return self.name in pocket_models()

    @property
    def label(self) -> str:
        """A short name for folders and tables: the last part of the id or path."""
        return Path(self.name).name if Path(self.name).exists() else self.name.rstrip("/").rsplit("/", 1)[-1]

    @property
    def paper_series(self) -> str | None:
        """The series given, or the one the name belongs to."""
        return self.series or series_of(self.name)


class Study(_Checked):
    """What to do. Every field has a default; the default study is a bundled pocket model on the microworld.

    Attributes:
        models: hub ids, folders, presets, a series ("llama2", "qwen", "bloomz"), pocket models, or `ModelChoice`s.
        data: a bundled set, a file or folder, or a hub id; by default "microworld" for pocket models, otherwise
            "everyday".
        columns: names of the data's columns, for instance {"positive": "pos"}.
        drop: kinds of problem whose pairs are left out instead of refused, for instance ("identical",), which protocol
            "paper" always leaves out, as the published code does.
        values: which values, all of the data's by default.
        languages: which languages, all of the data's by default.
        protocol: "corrected" or "paper".
        direction: how a concept vector is found; "paper" allows only the default.
        position: which token's state is read: "last", "content-mean", "before-answer", or a token index.
        folds: number of cross-fitting folds.
        permutations: sign patterns of the tests (corrected, difference in means); 0 leaves tests and intervals out.
        replicates: bootstrap samples of the intervals.
        seed: of the folds, the tests, the bootstrap and the untrained model's weights.
        untrained: also read the same sentences with an untrained model of the same architecture, and show what it gets
            right among the controls; takes as long again.
        memory: bytes, or text such as "4GiB", that the analysis of a value may take beyond its results; it decides how
            many sentences are in memory at once, not what comes out.
        dtype, device, attention, trust_remote_code: as for `polyethos.load_model`.

    Raises:
        InvalidStudyError: a field has a wrong value; the message names the field and what was expected.
    """

    models: tuple[ModelChoice, ...] = (ModelChoice(name="pocket-balanced"),)
    data: str | None = None
    columns: dict[str, str] | None = None
    drop: tuple[str, ...] = ()
    values: tuple[str, ...] | None = None
    languages: tuple[str, ...] | None = None
    protocol: Protocol = "corrected"
    direction: str = "difference-in-means"
    position: Position = "last"
    folds: int = Field(default=5, ge=3, le=20)
    permutations: int = Field(default=2000, ge=0, le=1_000_000)
    replicates: int = Field(default=1000, ge=100, le=100_000)
    seed: int = Field(default=0, ge=0)
    untrained: bool = False
    memory: ByteSize = ByteSize(2**30)
    dtype: Literal["auto", "float32", "bfloat16", "float16"] = "auto"
    device: str = "auto"
    attention: str | None = None
    trust_remote_code: bool = False

    @field_validator("models", mode="before")
    @classmethod
    def _models_from_names(cls, models: Any) -> Any:  # noqa: ANN401
        if isinstance(models, (str, ModelChoice)):
            models = [models]
        if not isinstance(models, (list, tuple)) or not models:
            raise ValueError("expected at least one model name")
        chosen: list[Any] = []
        for model in models:
            chosen.extend(PRESET_SERIES[model] if isinstance(model, str) and model in PRESET_SERIES else [model])
        return [ModelChoice(name=model) if isinstance(model, str) else model for model in chosen]

    @field_validator("data", mode="before")
    @classmethod
    def _path_as_text(cls, data: Any) -> Any:  # noqa: ANN401
        return str(data) if isinstance(data, Path) else data

    @field_validator("values", "languages", "drop", mode="before")
    @classmethod
    def _one_or_several(cls, names: Any) -> Any:  # noqa: ANN401
        return (names,) if isinstance(names, str) else names

    @field_validator("values")
    @classmethod
    def _known_values(cls, names: tuple[str, ...] | None) -> tuple[str, ...] | None:
        return _known(names, value)

    @field_validator("languages")
    @classmethod
    def _known_languages(cls, names: tuple[str, ...] | None) -> tuple[str, ...] | None:
        return _known(names, language)

    @field_validator("direction")
    @classmethod
    def _known_direction(cls, direction: str) -> str:
        if direction not in DIRECTIONS:
            raise ValueError(str(UnknownNameError.of("direction", direction, DIRECTIONS)))
        return direction

    @field_validator("position", mode="before")
    @classmethod
    def _known_position(cls, position: Any) -> Any:  # noqa: ANN401
        if isinstance(position, str) and position.removeprefix("-").isdecimal():
            return int(position)
        if position not in ("last", "content-mean", "before-answer") and type(position) is not int:
            raise ValueError("expected last, content-mean, before-answer or a whole number")
        return position

    @model_validator(mode="after")
    def _fits_together(self) -> Self:
        labels = [model.label for model in self.models]
        if len(set(labels)) < len(labels):
            raise ValueError(f"models: two of {labels} would share one results folder; rename a folder")
        if self.protocol == "paper" and (self.direction != "difference-in-means" or self.position != "last"):
            raise ValueError("protocol paper reads the last token and takes the difference in means; nothing else")
        if self.untrained and not self.is_tested:
            raise ValueError(
                "untrained is a control of the corrected tests: it needs protocol corrected, direction "
                "difference-in-means and permutations above 0"
            )
        return self

    @property
    def is_tested(self) -> bool:
        """Whether there are tests: they follow from inner products, which only a difference in means is made of."""
        return self.protocol == "corrected" and self.direction == "difference-in-means" and self.permutations > 0

    @property
    def data_source(self) -> str:
        """The data that is read: the one asked for, or the default for these models."""
        if self.data is not None:
            return self.data
        return "microworld" if all(model.is_pocket for model in self.models) else "everyday"

    def template_of(self, model: ModelChoice) -> str:
        """The template asked for or, in protocol "paper", the paper's for the model's series (bare for others)."""
        if model.template != "auto" or self.protocol == "corrected":
            return model.template
        series = model.paper_series
        return PRESETS[PRESET_SERIES[series][0]].template if series else "bare"

    def record(self) -> dict[str, Any]:
        """The study as plain data; equal records are equal studies, with however much memory."""
        return {**self.model_dump(mode="json", exclude={"memory"}), "data": self.data_source}

    def fingerprint(self) -> str:
        """Eight hexadecimal digits that differ between different studies."""
        return hashlib.sha256(json.dumps(self.record(), sort_keys=True).encode()).hexdigest()[:8]

    @classmethod
    def from_toml(cls, path: str | Path, **overrides: Any) -> Study:  # noqa: ANN401
        """Read a study from a TOML file whose keys are the fields above; `overrides` replace single fields.

        Raises:
            InvalidStudyError: the file is missing, is not TOML, or a field is wrong.
        """
        try:
            with Path(path).open("rb") as content:
                fields = tomllib.load(content)
        except OSError as error:
            raise InvalidStudyError(f"{path}: cannot be read ({error.strerror})") from error
        except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
            raise InvalidStudyError(f"{path}: not a TOML file ({error})") from error
        try:
            return cls(**{**fields, **overrides})
        except InvalidStudyError as error:
            raise InvalidStudyError(f"{path}: {error}") from error


def _known(names: tuple[str, ...] | None, look_up: Any) -> tuple[str, ...] | None:  # noqa: ANN401
    if names is not None and not names:
        raise ValueError("expected at least one name")
    try:
        for name in names or ():
            look_up(name)
    except DataError as error:
        raise ValueError(str(error)) from error
    return tuple(dict.fromkeys(names)) if names else None


def _in_one_line(error: ValidationError) -> str:
    def line(problem: Any) -> str:  # noqa: ANN401
        field = ".".join(str(part) for part in problem["loc"])
        message = problem["msg"].removeprefix("Value error, ")
        if problem["type"] == "extra_forbidden":
            known = [*Study.model_fields, *ModelChoice.model_fields]
            return str(UnknownNameError.of("field", str(problem["loc"][-1]), known))
        return f"{field} = {problem['input']!r}: {message}" if field else message

    return "; ".join(line(problem) for problem in error.errors())
