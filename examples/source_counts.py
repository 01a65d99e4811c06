"""Count made-up radio sources by flux, a Spark application.

    helikon spark submit examples/source_counts.py -- --sources 10000000

Sources that fill Euclidean space evenly are counted as N(>S) ~ S^-1.5. The
workers draw the fluxes; the driver gets twenty rows.
"""

import argparse
import math

from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as f

FAINTEST_JY = 1e-4


def main() -> None:
    """Draw the sources, count them in bins of flux, and print the slope."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sources", type=int, default=1_000_000, help="how many sources are drawn")
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()
    spark = SparkSession.builder.appName("source-counts").getOrCreate()
    counts = count_by_flux(draw_fluxes(spark, arguments.sources, arguments.seed)).collect()
    for row in counts:
        print(f"{10 ** (row['bin'] / 5):.2e} Jy  {row['n']}")
    print(f"slope of N(>S): {slope([(row['bin'] / 5, row['n']) for row in counts]):.2f}, expected -1.50")


def draw_fluxes(spark: SparkSession, n_sources: int, seed: int) -> DataFrame:
    """Return flux densities in Jy that follow N(>S) ~ S^-1.5."""
    uniform = f.rand(seed)
    return spark.range(n_sources).select((FAINTEST_JY * f.pow(1 - uniform, f.lit(-2 / 3))).alias("flux_jy"))


def count_by_flux(fluxes: DataFrame) -> DataFrame:
    """Count in bins of a fifth of a decade, fainter first."""
    binned = fluxes.select(f.floor(f.log10("flux_jy") * 5).alias("bin"))
    return binned.groupBy("bin").agg(f.count("*").alias("n")).orderBy("bin")


def slope(counts: list[tuple[float, int]]) -> float:
    """Fit log N(>S) against log S, where there are sources enough to tell."""
    totals = [(log_flux, sum(n for other, n in counts if other >= log_flux)) for log_flux, _ in counts]
    points = [(log_flux, math.log10(total)) for log_flux, total in totals if total >= 100]
    mean_x = sum(x for x, _ in points) / len(points)
    mean_y = sum(y for _, y in points) / len(points)
    return sum((x - mean_x) * (y - mean_y) for x, y in points) / sum((x - mean_x) ** 2 for x, _ in points)


if __name__ == "__main__":
    main()
