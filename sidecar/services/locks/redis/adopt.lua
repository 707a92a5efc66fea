-- Lets the time begin after which locks may be granted, if another life of the server has begun. ARGV: the longest time to live of the policy, ms.
settling(ARGV[1])
return 0
