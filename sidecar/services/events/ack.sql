-- $1: subscriber; $2: dealt with up to here.
select holdfast.outbox_ack($1, $2)
