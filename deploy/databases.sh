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

# A user of the warehouse with the rights of one of its roles, which `db roles` gives them (docs/privacy.md).
make_user() { # file of a secret as above, role
  local url user password database
  url=$(cat "$1")
  user=${url#*://}; user=${user%%:*}
  password=${url#*://*:}; password=${password%%@*}
  database=${url##*/}
  psql --quiet --set ON_ERROR_STOP=1 --username postgres \
    --set user="$user" --set password="$password" --set database="$database" --set role="$2" <<'SQL'
create role :"user" login password :'password' in role :"role";
grant connect, temporary on database :"database" to :"user";
SQL
}

make_database "$secrets"/airflow_database
make_database "$secrets"/warehouse
psql --quiet --set ON_ERROR_STOP=1 --username postgres <<'SQL'
create role support_reader nologin;
create role support_pages nologin;
create role support_writer nologin;
SQL
make_user "$secrets"/warehouse_workers support_writer
make_user "$secrets"/warehouse_pages support_pages
