-- In: accounts, places (marketplaces; null: all), since and until (days). Out: ratings of 1 to 3 stars given in
-- those days that still stand, and how many of them had written to us before.
select
    rating,
    count(*) as ratings,
    count(*) filter (where had_ticket_before) as had_ticket
from mart.feedback
where
    account = any(%(accounts)s::text[])
    and (%(places)s::text[] is null or marketplace = any(%(places)s::text[]))
    and rated_on >= %(since)s::date
    and rated_on < %(until)s::date
    and stands
group by rating
order by rating
