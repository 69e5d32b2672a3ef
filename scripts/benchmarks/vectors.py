"""Makes clustered vectors, and queries whose nearest ones are known; run by the bench in the sidecar's environment.

Clusters: one for every hundred vectors, their centres drawn from a normal distribution; a vector is a centre plus 0.6
times such a draw of its own, and so are the queries. The nearest are found exactly, in double precision.
"""

import json
import sys
from pathlib import Path

import numpy as np

QUERIES = 100
TOP = 10
NOISE = 0.6


def main() -> None:
    rows, dimensions, packed, queries = int(sys.argv[1]), int(sys.argv[2]), Path(sys.argv[3]), Path(sys.argv[4])
    drawn = np.random.default_rng(1)
    centres = drawn.standard_normal((max(1, rows // 100), dimensions))

    def clustered(count: int) -> np.ndarray:
        chosen = centres[drawn.integers(len(centres), size=count)]
        return (chosen + NOISE * drawn.standard_normal((count, dimensions))).astype("<f4")

    vectors, asked = clustered(rows), clustered(QUERIES)
    packed.write_bytes(vectors.tobytes())
    lengths = np.linalg.norm(vectors.astype("f8"), axis=1)
    cosines = asked.astype("f8") @ vectors.T.astype("f8") / lengths
    nearest = np.argsort(-cosines, axis=1)[:, :TOP] + 1
    found = [{"vector": vector.tolist(), "nearest": ids.tolist()} for vector, ids in zip(asked, nearest, strict=True)]
    queries.write_text(json.dumps(found))


if __name__ == "__main__":
    main()
