-- Takes a subscriber over, or makes it. $1: its name; $2: its topics, null for all; $3: whether a new one begins with what comes from now on.
select epoch, cursor from holdfast.outbox_subscribe($1, $2, $3)
