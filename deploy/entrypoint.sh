#!/usr/bin/env bash
# As in Airflow's own image: a program that it names is run (the Helm chart starts `bash -c "exec airflow scheduler"`);
# anything else are arguments of airflow.
set -euo pipefail
case "${1:-}" in
  bash | python | airflow) exec "$@" ;;
  *) exec airflow "$@" ;;
esac
