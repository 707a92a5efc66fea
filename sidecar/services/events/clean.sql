-- One step of the retention. $1: where to go on; $2: how long events are kept, in ms.
select deleted, upto from holdfast.outbox_clean($1, $2)
