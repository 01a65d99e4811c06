"""What a trial costs: ours beside joblib-spark, hyperopt, MLflow's study, and a Spark job for each trial.

Run it with ``python benchmarks/tuning.py [--repeats 3]``; it needs the extras
``benchmark``, ``spark`` and ``catalogue``, and two cores. All run in one process
and one warm session with two warm workers, TPE, three parameters, in turn, as
often as asked. Two measures: forty trials that do nothing, of which the cost of one is
the time by their number; and twenty trials of one second, where ten seconds are
ideal. Every time is of the whole call, with what it writes down: ours keeps a
journal and a run in MLflow for each trial, as MLflow's study does (its plots,
which nobody else draws, are left out); a job for each trial keeps a journal;
joblib-spark and hyperopt keep nothing. Prints a table of
medians and ratios, and as its last line one JSON object.
"""

import argparse
import functools
import json
import logging
import os
import statistics
import sys
import tempfile
import time
import warnings
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import optuna

from helikon.settings import Settings, load
from helikon.spark import close, session, tune

N_WORKERS = 2
MEASURES = {"0 s": (40, 0.0), "1 s": (20, 1.0)}
SPACE = {
    "x": optuna.distributions.FloatDistribution(-5, 5),
    "rate": optuna.distributions.FloatDistribution(1e-5, 1e-1, log=True),
    "depth": optuna.distributions.IntDistribution(1, 9),
}


def loss(x: float, rate: float, depth: int, seconds: float) -> float:
    """Return a smooth function of the parameters after some seconds."""
    time.sleep(seconds)
    return x * x + rate + depth


def objective(seconds: float, trial: optuna.Trial) -> float:
    """Return the loss at parameters that a trial suggests."""
    x = trial.suggest_float("x", -5, 5)
    rate = trial.suggest_float("rate", 1e-5, 1e-1, log=True)
    return loss(x, rate, trial.suggest_int("depth", 1, 9), seconds)


def helikon(settings: Settings, name: str, n_trials: int, seconds: float) -> int:
    """Tune as ``helikon tune`` does: a journal, and a run in MLflow for each trial."""
    study = tune(
        functools.partial(objective, seconds),
        settings=settings,
        n_trials=n_trials,
        n_workers=N_WORKERS,
        study_name=name,
        directions=("minimize",),
        sampler=optuna.samplers.TPESampler(),
        plots=False,
    )
    return len(study.trials)


def job_per_trial(settings: Settings, name: str, n_trials: int, seconds: float) -> int:
    """Ask and tell on the driver, with a Spark job for each trial."""
    context = session(settings).sparkContext
    storage = optuna.storages.JournalStorage(
        optuna.storages.journal.JournalFileBackend(str(settings.state_dir / f"{name}.log"))
    )
    study = optuna.create_study(storage=storage, study_name=name)

    def one(_: int) -> None:
        trial = study.ask(SPACE)
        work = functools.partial(_in_spark, trial.params, seconds)
        study.tell(trial, context.parallelize([0], 1).map(work).collect()[0])

    with ThreadPoolExecutor(N_WORKERS) as pool:
        list(pool.map(one, range(n_trials)))
    return len(study.trials)


def joblib_spark(settings: Settings, name: str, n_trials: int, seconds: float) -> int:
    """Ask for two trials, run them with joblib's Spark backend, tell both, and again."""
    import joblib
    from joblibspark import register_spark

    register_spark()
    study = optuna.create_study(study_name=name)
    with joblib.parallel_config(backend="spark", n_jobs=N_WORKERS):
        for _ in range(n_trials // N_WORKERS):
            trials = [study.ask(SPACE) for _ in range(N_WORKERS)]
            calls = (joblib.delayed(loss)(**trial.params, seconds=seconds) for trial in trials)
            for trial, value in zip(trials, joblib.Parallel()(calls), strict=True):
                study.tell(trial, value)
    return len(study.trials)


def hyperopt_spark(settings: Settings, name: str, n_trials: int, seconds: float) -> int:
    """Run hyperopt's TPE with SparkTrials."""
    import hyperopt
    from hyperopt import hp

    space = {
        "x": hp.uniform("x", -5, 5),
        "rate": hp.loguniform("rate", -11.5, -2.3),
        "depth": hp.uniformint("depth", 1, 9),
    }
    trials = hyperopt.SparkTrials(parallelism=N_WORKERS, spark_session=session(settings))
    hyperopt.fmin(
        lambda found: loss(**found, seconds=seconds),
        space,
        algo=hyperopt.tpe.suggest,
        max_evals=n_trials,
        trials=trials,
        show_progressbar=False,
        verbose=False,
    )
    return len(trials.trials)


def mlflow_spark(settings: Settings, name: str, n_trials: int, seconds: float) -> int:
    """Run MLflow's Spark study on a database like ours."""
    import mlflow
    from mlflow.optuna.storage import MlflowStorage
    from mlflow.pyspark.optuna.study import MlflowSparkStudy

    from helikon.catalogue.tracking import prepare

    uri = prepare(settings)
    mlflow.set_tracking_uri(uri)
    experiment = mlflow.create_experiment(name, artifact_location=str(settings.state_dir / name))
    study = MlflowSparkStudy(name, MlflowStorage(experiment_id=experiment), mlflow_tracking_uri=uri)
    study.optimize(functools.partial(objective, seconds), n_trials=n_trials, n_jobs=N_WORKERS)
    return sum(trial.state.is_finished() for trial in study.trials)


RUNNERS: dict[str, Callable[[Settings, str, int, float], int]] = {
    "helikon tune": helikon,
    "a Spark job per trial": job_per_trial,
    "joblib-spark, batches of 2": joblib_spark,
    "MLflow's Spark study": mlflow_spark,
    "hyperopt SparkTrials": hyperopt_spark,
}


def _in_spark(params: dict[str, float], seconds: float, _: int) -> float:
    return loss(**params, seconds=seconds)  # type: ignore[arg-type]


def measure(settings: Settings, runners: list[str], repeats: int) -> dict[str, dict[str, list[float]]]:
    """Return the seconds of each runner and measure, all in turn, each after two trials that do nothing.

    Spark ends Python workers that were idle for a minute, and a slow runner
    leaves those of the others idle for longer.
    """
    taken: dict[str, dict[str, list[float]]] = {name: {key: [] for key in MEASURES} for name in runners}
    for repeat in range(repeats):
        for key, (n_trials, seconds) in MEASURES.items():
            for name in runners:
                study = f"study-{list(RUNNERS).index(name)}-{seconds:.0f}-{repeat}"
                RUNNERS[name](settings, f"warm-{study}", N_WORKERS, 0.0)
                start = time.monotonic()
                n_run = RUNNERS[name](settings, study, n_trials, seconds)
                taken[name][key].append(time.monotonic() - start)
                assert n_run == n_trials, f"{name} ran {n_run} trials of {n_trials}"
                print(f"{name}, {key}: {taken[name][key][-1]:.2f} s, load {load_now():.1f}", file=sys.stderr)
    return taken


def load_now() -> float:
    """Return the machine's load average over a minute."""
    return os.getloadavg()[0]


def main() -> None:
    """Measure, and print the table and the JSON object."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--only", action="append", choices=RUNNERS, help="as often as wanted")
    options = parser.parse_args()
    warnings.simplefilter("ignore")
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    logging.disable(logging.WARNING)
    loads = [load_now()]
    with tempfile.TemporaryDirectory() as folder:
        spark = {"master": "local[2,3]", "driver_memory_gib": 1}
        settings = load(environ={}, overrides={"state_dir": str(Path(folder)), "spark": spark})
        try:
            taken = measure(settings, options.only or list(RUNNERS), options.repeats)
        finally:
            close()
    loads.append(load_now())
    report(taken, loads)


def report(taken: dict[str, dict[str, list[float]]], loads: list[float]) -> None:
    """Print medians, and ratios to the first runner."""
    medians = {
        name: {key: statistics.median(times[key]) for key in MEASURES} for name, times in taken.items()
    }
    first = next(iter(medians.values()))
    print(f"{'runner':<28} {'ms a trial (0 s)':>17} {'ratio':>6} {'20 of 1 s':>10} {'ratio':>6}")
    for name, found in medians.items():
        cost = found["0 s"] / MEASURES["0 s"][0] * 1000
        ratios = found["0 s"] / first["0 s"], found["1 s"] / first["1 s"]
        print(f"{name:<28} {cost:>17.1f} {ratios[0]:>6.1f} {found['1 s']:>9.2f}s {ratios[1]:>6.2f}")
    print(f"load before and after: {loads[0]:.1f}, {loads[1]:.1f}; cores: {os.cpu_count()}")
    costs = {name: round(found["0 s"] / MEASURES["0 s"][0] * 1000, 2) for name, found in medians.items()}
    result = {
        "ms_per_trial": costs,
        "twenty_one_second_trials_s": {name: round(found["1 s"], 3) for name, found in medians.items()},
        "all_s": taken,
        "load": loads,
        "n_cores": os.cpu_count(),
    }
    print(json.dumps(result))


if __name__ == "__main__":
    main()
