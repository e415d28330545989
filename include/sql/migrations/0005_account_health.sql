-- In: the revision before. Out: Account health.
select 1;
