-- In: a calendar's label and the fingerprint of its definition. Out: mart.calendar has it; its number.
with added as (
    insert into mart.calendar (calendar, fingerprint)
    select
        %(calendar)s::text as calendar,
        %(fingerprint)s::text as fingerprint
    where
        not exists (
            select 1 from mart.calendar
            where calendar = %(calendar)s
        )
    returning calendar_id
)

select calendar_id from added
union all
select calendar_id from mart.calendar
where calendar = %(calendar)s
