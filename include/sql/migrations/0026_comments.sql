-- In: tables that say nothing of themselves. Out: comments on them, for docs/data.md and whoever looks in psql.
comment on table raw.order_received is 'Orders as searching or asking for one brought them, a row a batch.';
comment on table raw.feedback_received is 'Lines of feedback reports, without what buyers wrote; their words are in '
'pii.feedback_received.';
comment on table core.mail is 'Every mail once, with what it means. Who it is with, its subject and its words are in '
'pii.mail.';
comment on table pii.order_received is 'What orders said of buyer, recipient and payment, a row a batch.';
comment on table pii.order_contact is 'Buyer and recipient of each order, of its newest version.';
comment on table pii.mail_received is 'Mail as read from a mailbox: where it is archived, what it was understood to '
'mean; a row each time that it was read or read again.';
comment on table pii.mail is 'Names, addresses, subject and words of each mail in core.mail.';
comment on table pii.feedback_received is 'What buyers wrote in lines of feedback reports, and our answers.';
