-- In: before. Out: of rows set aside before then what was received (personal data) is gone; returns how many. The
-- entries themselves, without personal data, stay.
with forgotten as (
    delete from pii.quarantined_row as received
    using ops.quarantine as aside
    where
        received.quarantine_id = aside.quarantine_id
        and aside.set_aside_at < %(before)s::timestamptz
    returning received.quarantine_id
)

select count(*) as lines from forgotten
