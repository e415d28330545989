-- In: a calendar's label and the fingerprint of its definition. Out: mart.calendar_open has nothing, and
-- mart.calendar knows nothing, of that label that was made from another definition.
with outdated as (
    update mart.calendar set fingerprint = %(fingerprint)s, known_from = null, known_until = null
    where calendar = %(calendar)s and fingerprint <> %(fingerprint)s
    returning calendar_id
)

delete from mart.calendar_open as opening
using outdated
where opening.calendar_id = outdated.calendar_id
