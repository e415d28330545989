-- In:  revision 0001. Out: where the rates of Amazon's operations are kept, what was called, and what becomes of
-- rows that could not even be landed.

create table ops.rate_bucket (
    account text not null,
    region text not null,
    operation text not null,
    rate double precision not null check (rate > 0),
    burst integer not null check (burst > 0),
    full_at timestamptz not null,
    primary key (account, region, operation)
);
comment on table ops.rate_bucket is 'One token bucket an account, region and operation, shared by all workers. '
'Every call takes its turn by moving full_at by 1/rate seconds.';
comment on column ops.rate_bucket.rate is 'Calls a second, as Amazon last said in x-amzn-RateLimit-Limit.';
comment on column ops.rate_bucket.full_at is 'When the bucket is full again if nobody calls. A call may be made once '
'full_at is at most burst/rate seconds ahead.';

create table ops.api_call (
    run text not null,
    account text not null,
    region text not null,
    operation text not null,
    calls integer not null default 0,
    throttled integer not null default 0,
    first_at timestamptz not null default now(),
    primary key (run, account, region, operation)
);
create index api_call_first on ops.api_call (first_at);
comment on table ops.api_call is 'Calls to Amazon by run and operation; throttled: those that Amazon answered 429.';

---------- rows that could not be landed

alter table ops.quarantine add column reason text;
comment on column ops.quarantine.reason is 'What is wrong, without personal data.';

create table pii.quarantined_row (
    quarantine_id bigint primary key references ops.quarantine,
    content text not null
);
comment on table pii.quarantined_row is 'The row as received, where it could not be landed.';
