-- In: a calendar's number and the local days whose hours are there. Out: mart.calendar says so.
update mart.calendar set known_from = %(known_from)s::date, known_until = %(known_until)s::date
where calendar_id = %(calendar_id)s
