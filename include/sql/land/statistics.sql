-- In: tables that a large import has just filled. Out: the planner knows of it; without this it plans for the
-- tables as they were and may take hours. Does nothing, with a warning, for a role that does not own them.
analyze
core.amazon_order, raw.order_report_row, pii.order_contact, pii.mail_received, core.mail, pii.mail, core.ticket_event
