-- In:  fields of lines that a table refused, with headings and types of their columns (lists of the same length).
-- Out: one row a line: heading and type of its first field, in the order given, that its type refuses.
select distinct on (field.number)
    field.number,
    field.heading,
    field.type
from
    unnest(%(numbers)s::integer[], %(headings)s::text[], %(types)s::text[], %(fields)s::text[])
    with ordinality as field (number, heading, type, content, position)
where not pg_input_is_valid(field.content, field.type)
order by field.number asc, field.position asc
