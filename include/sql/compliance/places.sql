-- In: places (account, marketplace, region, desk, team of the settings). Out: mart.place says the same; returned are
-- those that changed.
with given as (
    select
        place.account,
        place.marketplace,
        place.region,
        place.desk,
        place.team
    from jsonb_to_recordset(%(places)s::jsonb) as place (
        account text, marketplace text, region text, desk text, team text
    )
),

gone as (
    delete from mart.place as known
    where
        not exists (
            select 1 from given
            where given.account = known.account and given.marketplace = known.marketplace
        )
    returning known.account, known.marketplace
),

changed as (
    insert into mart.place as known (account, marketplace, region, desk, team)
    select
        account,
        marketplace,
        region,
        desk,
        team
    from given
    order by account, marketplace
    on conflict (account, marketplace) do update
        set
            region = excluded.region,
            desk = excluded.desk,
            team = excluded.team
        where (known.region, known.desk, known.team) is distinct from (excluded.region, excluded.desk, excluded.team)
    returning known.account, known.marketplace
)

select
    account,
    marketplace
from gone
union all
select
    account,
    marketplace
from changed
