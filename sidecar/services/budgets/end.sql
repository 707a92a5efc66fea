-- Ends a reservation in the fleet's books. $1, $2: namespace and target; $3: id; $4: 'settled' or 'released'; $5: what was spent, null for all that was put
-- aside; $6: from where on to warn.
select outcome, overshoot, noted, charged, warned, expired
from holdfast.cost_end($1, $2, $3, $4, $5, $6)
