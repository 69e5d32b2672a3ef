"""Draws what the bench measured, one picture for each result; run by it in the sidecar's environment."""

import json
import re
import sys
from pathlib import Path
from typing import Any

from matplotlib.figure import Figure  # type: ignore[import-not-found, unused-ignore]


def main() -> None:
    results, folder = Path(sys.argv[1]), Path(sys.argv[2])
    folder.mkdir(exist_ok=True)
    for old in folder.glob("*.png"):
        old.unlink()
    for result in json.loads(results.read_text()):
        draw(result, folder)


def draw(result: dict[str, Any], folder: Path) -> None:
    figure = Figure(figsize=(7, 3.2), layout="constrained")
    values, ratios = figure.subplots(1, 2, width_ratios=(3, 2))
    turns = range(1, len(result["pairs"]) + 1)
    values.plot(turns, [measured for measured, _ in result["pairs"]], "o-", label="measured")
    values.plot(turns, [yardstick for _, yardstick in result["pairs"]], "s--", label=result["yardstick_name"])
    values.set(xlabel="round", ylabel=result["unit"], ylim=(0, None))
    values.legend(fontsize="small")
    ratios.plot(turns, [measured / yardstick for measured, yardstick in result["pairs"]], "o", color="tab:gray")
    ratios.axhline(result["ratio"], color="tab:blue", label=f"median {result['ratio']:.3g}")
    sign = "at least" if result["more_is_better"] else "at most"
    ratios.axhline(result["bound"], color="tab:red", linestyle=":", label=f"{sign} {result['bound']:g}")
    ratios.set(xlabel="round", ylabel="ratio", ylim=(0, None))
    ratios.legend(fontsize="small")
    figure.suptitle(result["name"])
    name = re.sub(r"[^a-z0-9]+", "-", result["name"].lower()).strip("-")
    figure.savefig(folder / f"{name}.png", dpi=120)


if __name__ == "__main__":
    main()
