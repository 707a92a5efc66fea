-- Puts an amount aside in the fleet's books. $1, $2: namespace and target; $3: key; $4: length of a window in ms; $5: id; $6: amount; $7: ms until it is
-- charged in full; $8: limit; $9: from where on to warn. Amounts in millionths.
select outcome, amount, expires_in_ms, settled, reserved, overshoot, window_ends_in_ms, warned, expired
from holdfast.cost_reserve($1, $2, $3, $4, $5, $6, $7, $8, $9)
