-- One look. $1, $2: subscriber and epoch; $3: what it has had; $4, $5: most events and bytes of payload.
select pos, topic, key, seq, at_us, payload from holdfast.outbox_read($1, $2, $3, $4, $5)
