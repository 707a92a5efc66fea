-- One key in the window of now, in the fleet's books. $1, $2: namespace and target; $3: key; $4: length of a window in ms.
select settled, reserved, overshoot, window_ends_in_ms
from holdfast.cost_account($1, $2, $3, $4)
