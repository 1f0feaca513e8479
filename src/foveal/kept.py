"""What long work has found is kept as it goes on: a run that was interrupted computes nothing twice."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from foveal.files import write_atomically

KEY = "foveal"  # of a table's attributes: what its numbers were computed from


def differing(earlier: Mapping[str, Any], now: Mapping[str, Any]) -> list[str]:
    """What earlier results were computed from, where it is something else than now.

    >>> differing({"penalty": 0.1, "seed": 0}, {"penalty": 0.2, "seed": 0})
    ['penalty 0.1']
    """
    return [f"{name} {earlier.get(name)}" for name, value in now.items() if earlier.get(name) != value]


class KeptTable:
    """The rows of a table, as far as they are known, and the file that keeps them.

    Parameters
    ----------
    path
        A .parquet file, or a .csv file beside which a .json file says what it was computed from.
    computed_from
        Everything that the rows depend on, as JSON can say it.
    by
        The columns that tell one row from another.
    texts
        The columns of a .csv file that hold text, such as names that may look like numbers.

    Attributes
    ----------
    table
        The rows that are known; none where the file's were computed from something else.
    differs
        What the file's rows were computed from instead (see `differing`). The next that are added replace them.
    """

    def __init__(
        self, path: Path, computed_from: Mapping[str, Any], by: Sequence[str], texts: Sequence[str] = ()
    ) -> None:
        self.path = path
        self.by = list(by)
        self.table = pd.DataFrame(columns=self.by)
        self.differs: list[str] = []
        self._texts = list(texts)
        self._computed_from = json.loads(json.dumps(computed_from))
        if path.is_file():
            try:
                stored, earlier = self._read()
            except Exception:  # whatever a broken file makes pandas say; then all is computed again
                stored, earlier = self.table, {}
            self.differs = differing(earlier, self._computed_from)
            if not self.differs:
                self.table = stored

    def add(self, rows: pd.DataFrame) -> None:
        """Take in new rows, and new values of known ones, and write all to the file."""
        if len(self.table):
            known, new = self.table.set_index(self.by), rows.set_index(self.by)
            of_known = new.index.isin(known.index).any()
            rows = (new.combine_first(known) if of_known else pd.concat([known, new])).reset_index()
        self.table = rows
        if self.path.suffix == ".parquet":
            self.table.attrs[KEY] = self._computed_from
        else:
            if self.differs:
                self.path.unlink(missing_ok=True)  # never a table beside what another was computed from
            with write_atomically(self._beside) as temporary:
                temporary.write_text(json.dumps(self._computed_from))
        with write_atomically(self.path) as temporary:
            (self.table.to_parquet if self.path.suffix == ".parquet" else self.table.to_csv)(temporary, index=False)
        self.differs = []

    def forget(self, rows: "pd.Series[bool]") -> None:
        """Drop the rows where this is true. The file keeps them until others are added."""
        self.table = self.table[~rows]

    @property
    def _beside(self) -> Path:
        return self.path.with_suffix(".json")

    def _read(self) -> tuple[pd.DataFrame, Mapping[str, Any]]:
        if self.path.suffix == ".parquet":
            table = pd.read_parquet(self.path)
            return table, table.attrs[KEY]
        names = pd.read_csv(self.path, nrows=0).columns
        table = pd.read_csv(
            self.path,
            dtype=dict.fromkeys(self._texts, "str"),
            keep_default_na=False,  # a text of "nan" is one
            na_values={name: [""] for name in names if name not in self._texts},
        )
        return table, json.loads(self._beside.read_text())
