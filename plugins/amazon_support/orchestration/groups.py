"""Groups of tasks that several DAGs share."""

from collections.abc import Callable, Sequence
from typing import Any

from airflow.sdk import TaskGroup, task

from amazon_support.orchestration import tasks
from amazon_support.orchestration.defaults import Pool
from amazon_support.orchestration.operators import waiting_task


def facts(
    name: str,
    datasets: Sequence[str],
    list_sources: Callable[[], Any],
    pull: Callable[..., Any],
    pool: Pool,
    after: Any = None,
) -> Any:
    """Tasks that turn sources into facts: pull each source, check what landed, publish what passed.

    Args:
        datasets: what the pull may land, in the order of publishing.
        list_sources: gives one entry a source; each becomes a mapped task of `pull`.
        after: the task whose work, done well or not, tells what there is to pull; None: nobody is waited for.

    Returns: the last task of the group.
    """
    with TaskGroup(name):
        sources = task(task_id="list_sources", trigger_rule="all_done")(list_sources)()
        if after is not None:
            after >> sources
        pulled = waiting_task(task_id="pull", pool=pool, map_index_template="{{ map_name }}")(pull).expand(
            source=sources
        )
        # What one source could not bring must not hold up what the others brought.
        checked = task(task_id="check", trigger_rule="all_done")(tasks.check)(list(datasets))
        published = task(
            task_id="publish", trigger_rule="all_done", outlets=[tasks.news_of(dataset) for dataset in datasets]
        )(tasks.publish)(list(datasets))
        return pulled >> checked >> published


def amazon_facts(
    name: str,
    datasets: Sequence[str],
    pull: Callable[..., Any],
    list_sources: Callable[[], Any] = tasks.list_amazon_connections,
    after: Any = None,
) -> Any:
    """`facts` with one source for each account and region."""
    return facts(name, datasets, list_sources, pull, Pool.AMAZON, after)
