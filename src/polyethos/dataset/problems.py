"""What is wrong with a set of contrast pairs: single problems, and the report that counts them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Literal

Severity = Literal["error", "warning"]

# Problems of one pair, which can be left out without touching the others.
DROPPABLE = (
    "identical",
    "empty",
    "duplicate",
    "not text",
    "too long",
    "character",
    "unknown language",
    "unknown value",
)


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that is wrong, and where.

    Attributes:
        kind: short name by which problems are counted, for instance "identical" or "ragged".
        file: file or data set.
        place: "line 3", "row 3" (Parquet, hub), "train/12" (MVALUE); empty if the whole file is meant.
        field: column or field; empty if the whole line is meant.
        found: what is there.
        expected: what should be there, or how to mend it.
        severity: a set with an "error" is not loaded; a "warning" is only reported.
    """

    kind: str
    file: str
    place: str
    field: str
    found: str
    expected: str
    severity: Severity = "error"

    def __str__(self) -> str:
        where = ", ".join(part for part in (self.file, self.place, self.field) if part)
        return f"{where}: found {self.found}; expected {self.expected}"


@dataclass(frozen=True)
class Report:
    """All problems of one source at once, with counts.

    Attributes:
        source: what was checked.
        problems: in the order of the files; errors and warnings.
        pairs: number of usable pairs by (value, language).
    """

    source: str
    problems: tuple[Problem, ...]
    pairs: Mapping[tuple[str, str], int]

    @property
    def errors(self) -> tuple[Problem, ...]:
        """The problems that keep the set from being loaded."""
        return tuple(problem for problem in self.problems if problem.severity == "error")

    @property
    def warnings(self) -> tuple[Problem, ...]:
        """The problems that are only reported."""
        return tuple(problem for problem in self.problems if problem.severity == "warning")

    @property
    def counts(self) -> dict[str, int]:
        """Number of problems of each kind, errors first, most frequent first."""
        return {**count_kinds(self.errors), **count_kinds(self.warnings)}

    @property
    def has_errors(self) -> bool:
        """Whether something keeps the set from being loaded as it is."""
        return bool(self.errors)

    @property
    def summary(self) -> str:
        """One line: how many usable pairs, values and languages, and how many problems of which kind."""
        values, languages = {value for value, _ in self.pairs}, {language for _, language in self.pairs}
        usable = f"{sum(self.pairs.values())} usable pairs, {len(values)} values, {len(languages)} languages"
        found = [f"{len(group)} {name} ({listed(group)})" for name, group in self._groups() if group]
        return f"{self.source}: {usable}; {', '.join(found) or 'no problems'}"

    def _groups(self) -> tuple[tuple[str, tuple[Problem, ...]], ...]:
        return ("errors", self.errors), ("warnings", self.warnings)


def count_kinds(problems: Iterable[Problem]) -> dict[str, int]:
    """Number of problems of each kind, most frequent first."""
    return dict(Counter(problem.kind for problem in problems).most_common())


def listed(problems: Iterable[Problem]) -> str:
    """The kinds with their counts, for instance "2 identical, 1 empty"."""
    return ", ".join(f"{count} {kind}" for kind, count in count_kinds(problems).items())


def shown(content: object, limit: int = 60) -> str:
    """`content` as it appears in a message: quoted, control characters escaped, cut at `limit` characters."""
    quoted = repr(content[: limit + 1] if isinstance(content, str) else content)
    return quoted if len(quoted) <= limit else f"{quoted[:limit]}..."
