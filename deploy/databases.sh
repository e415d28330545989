#!/usr/bin/env bash
# Makes Airflow's database and the warehouse, each owned by a role of its own, as the URLs in the secrets say.
# Run by the image of PostgreSQL when its volume is new.
set -euo pipefail
secrets=${SECRETS:-/run/secrets}

make_database() { # file of a secret that holds postgresql…://role:password@host/database
  local url role password database
  url=$(cat "$1")
  role=${url#*://}; role=${role%%:*}
  password=${url#*://*:}; password=${password%%@*}
  database=${url##*/}
  # Names and passwords are passed as variables, quoted by psql; nothing of them is printed.
  psql --quiet --set ON_ERROR_STOP=1 --username postgres \
    --set role="$role" --set password="$password" --set database="$database" <<'SQL'
create role :"role" login password :'password';
create database :"database" owner :"role";
revoke all on database :"database" from public;
SQL
}

make_database "$secrets"/airflow_database
make_database "$secrets"/warehouse
