"""Makes backfills by Airflow's own command, in a process of its own with a metadata database of its own.

Called with DAGs and their spans, each as `name=from/to`. The last line of what it prints is JSON: by DAG, the runs as
[data_interval_start, data_interval_end, run_type, deadline or null], or {"refused": why}.
"""

import json
import sys


def main(*backfills: str) -> None:
    from airflow.cli.cli_parser import get_parser
    from airflow.dag_processing.bundles.manager import DagBundlesManager
    from airflow.dag_processing.dagbag import DagBag, sync_bag_to_db
    from airflow.models.dagrun import DagRun
    from airflow.models.deadline import Deadline
    from airflow.utils.db import initdb
    from airflow.utils.session import create_session
    from sqlalchemy import select

    from amazon_support.settings import home

    initdb()
    DagBundlesManager().sync_bundles_to_db()
    sync_bag_to_db(DagBag(dag_folder=str(home() / "dags"), bundle_name="dags-folder"), "dags-folder", None)
    found: dict[str, object] = {}
    for backfill in backfills:
        name, _, span = backfill.partition("=")
        start, _, end = span.partition("/")
        command = ["backfill", "create", "--dag-id", name, "--from-date", start, "--to-date", end]
        args = get_parser().parse_args([*command, "--max-active-runs", "2"])
        try:
            args.func(args)
        except Exception as error:
            found[name] = {"refused": str(error)}
            continue
        with create_session() as session:
            deadlines = {each.dagrun_id: each.deadline_time.isoformat() for each in session.scalars(select(Deadline))}
            runs = session.scalars(select(DagRun).where(DagRun.dag_id == name).order_by(DagRun.logical_date)).all()
            found[name] = [
                [
                    run.data_interval_start.isoformat(),
                    run.data_interval_end.isoformat(),
                    str(run.run_type),
                    deadlines.get(run.id),
                ]
                for run in runs
            ]
    print(json.dumps(found))


if __name__ == "__main__":
    main(*sys.argv[1:])
