-- In: mart.data_quality_trouble. Out: what a person should look at, the oldest first.
select
    account,
    dataset,
    rule,
    since,
    sentence
from mart.data_quality_trouble
order by since, account, dataset, rule, sentence
